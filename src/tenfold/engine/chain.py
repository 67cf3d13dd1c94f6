"""A network and its pullback from layers: y = f_n ∘ … ∘ f_1 (x), and ∂L/∂x = J_1ᵀ … J_nᵀ ∂L/∂y."""

__all__ = ["applied", "chain", "through"]

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from tenfold.engine.types import Buffers, Grads, Link, Params, Pull

Back = Callable[..., tuple[Tensor | None, Grads]]
"""`dx or None, grads by parameter name = pull(dy, need_dx=False)`."""


def chain(links: Sequence[Link], params: Params, x: Tensor) -> tuple[Tensor, Back]:
    """Compose layers that have no buffers and, in reverse, their pullbacks.

    x: what the first layer takes. Returns y and `pull(dy, need_dx=False) -> dx or None, grads by parameter name`.
    """
    return through(links, params, {}, x)[:2]


def through(links: Sequence[Link], params: Params, buffers: Buffers, x: Tensor) -> tuple[Tensor, Back, Buffers]:
    """Compose layers and, in reverse, their pullbacks; return y, the pullback of `chain`, and the next buffers."""
    pulls: list[Pull] = []
    after = dict(buffers)
    for link in links:
        x, pull_layer, changed = applied(link, params, buffers, x)
        after.update(changed)
        pulls.append(pull_layer)

    def pull(dy: Tensor, need_dx: bool = False) -> tuple[Tensor | None, Grads]:
        grads: Grads = {}
        d: Any = dy
        for position in reversed(range(len(links))):
            d, *dweights = pulls[position](d, need_dx=need_dx or position > 0)
            grads.update(zip(links[position].weights, dweights, strict=True))
        return d, grads

    return x, pull, after


def applied(link: Link, params: Params, buffers: Buffers, x: Tensor) -> tuple[Tensor, Pull, Buffers]:
    """Apply one layer; return its output, its pullback, and its buffers as the next step finds them."""
    given = [params[name] for name in link.weights]
    if not link.buffers:
        y, pull = link.layer(x, *given)
        return y, pull, {}
    y, pull, changed = link.layer(x, *given, *[buffers[name] for name in link.buffers])
    return y, pull, dict(zip(link.buffers, changed, strict=True))
