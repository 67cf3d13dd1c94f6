"""The machine's fastest matrix product, a (…, M, K) · b (…, K, N) → (…, M, N).

Which library multiplies decides more than anything written around it: on AMD's Zen 5 torch's own `@` (MKL) reaches
170 to 200 GFLOP/s in float32 and oneDNN over 400. The routes agree to rounding; which one a machine takes is measured
once, kept in the user's cache, overridden by TENFOLD_PRODUCTS=torch|onednn, and written into every run's env.json.
"""

__all__ = ["ROUTES", "measured_route", "product", "route", "using"]

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, partial
from typing import cast

import torch
from torch import Tensor

from tenfold.engine.machine import least_seconds, measured_once
from tenfold.errors import UsageError, nearest

HAS_ONEDNN = hasattr(torch.ops.mkldnn, "_linear_pointwise")
# Below this many floating-point operations a call to oneDNN costs more than it saves (measured, benchmarks/LOG.md).
SMALL = 4e6
# The same where its result comes out turned round in memory, which costs whoever reads it next.
TURNED = 4 * SMALL
# Columns in other multiples leave its vector registers half empty; rows that fill them are turned into columns.
LANES = 16
# Another route must beat oneDNN by this much: a choice that noise could turn would change the last bits of a run.
MARGIN = 1.25


def _torch(a: Tensor, b: Tensor) -> Tensor:
    return torch.mm(a, b) if a.dim() == 2 else torch.bmm(a, b)


def _onednn(a: Tensor, b: Tensor) -> Tensor:
    """Multiply by a private operator of torch, made for its fused linear layers; `@` where it is absent or unfit."""
    operations, plain = 2 * a.size(-2) * a.size(-1) * b.size(-1), a.stride(-1) == 1
    if operations < (SMALL if plain else TURNED) or a.dtype != torch.float32 or not a.is_cpu or not HAS_ONEDNN:
        return _torch(a, b)
    # It multiplies by a transpose, and is quicker with a first operand whose rows lie in memory: a b = (bᵀ aᵀ)ᵀ.
    if plain and b.size(-1) % LANES and not a.size(-2) % LANES:
        return _linear(b.mT, a).mT.contiguous()
    return _linear(a, b.mT) if plain else _linear(b.mT, a).mT


def _linear(a: Tensor, b: Tensor) -> Tensor:
    """Return a bᵀ of each member."""
    linear = torch.ops.mkldnn._linear_pointwise
    if a.dim() == 2:
        return cast(Tensor, linear(a, b, None, "none", [], ""))
    if len(a) == 1:
        return cast(Tensor, linear(a[0], b[0], None, "none", [], "")[None])
    return torch.stack([linear(a[k], b[k], None, "none", [], "") for k in range(len(a))])


ROUTES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"torch": _torch, "onednn": _onednn}
_chosen: ContextVar[str] = ContextVar("products_route")


def product(a: Tensor, b: Tensor) -> Tensor:
    """Return a b, (M, N) or (P, M, N), laid out either way. a: (M, K) or (P, M, K); b: (K, N) or (P, K, N)."""
    return ROUTES[route()](a, b)


def route() -> str:
    """Return name of the route in use: that of the surrounding `using`, else the machine's own."""
    return _chosen.get(None) or measured_route()


@contextmanager
def using(name: str) -> Iterator[None]:
    """Take one route inside the block, as a resumed run does to get its own bits."""
    if name not in ROUTES:
        raise UsageError(f"no product route {name!r}: {nearest(name, ROUTES)}")
    token = _chosen.set(name)
    try:
        yield
    finally:
        _chosen.reset(token)


@cache
def measured_route() -> str:
    """Return the fastest stable route here: from the environment, else from the cache, else measured and kept."""
    asked = os.environ.get("TENFOLD_PRODUCTS", "")
    if asked and asked not in ROUTES:
        raise UsageError(f"TENFOLD_PRODUCTS={asked}: no such product route, {nearest(asked, ROUTES)}")
    return asked or measured_once("products", ROUTES, _measure)


def _measure() -> str:
    a, b = torch.ones(640, 1024), torch.ones(1024, 128)
    try:
        seconds = {name: least_seconds(partial(multiply, a, b)) for name, multiply in ROUTES.items()}
    except (RuntimeError, AttributeError):
        return "torch"
    fastest = min(seconds, key=lambda name: seconds[name])
    return fastest if seconds["onednn"] > MARGIN * seconds[fastest] else "onednn"
