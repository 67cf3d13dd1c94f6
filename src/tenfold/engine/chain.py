"""A network and its pullback from layers: y = f_n ∘ … ∘ f_1 (x), and ∂L/∂x = J_1ᵀ … J_nᵀ ∂L/∂y."""

__all__ = ["chain"]

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from tenfold.engine.types import Grads, Link, Params, Pull


def chain(
    links: Sequence[Link], params: Params, x: Tensor
) -> tuple[Tensor, Callable[..., tuple[Tensor | None, Grads]]]:
    """Compose layers and, in reverse, their pullbacks.

    x: what the first layer takes. Returns y and `pull(dy, need_dx=False) -> dx or None, grads by parameter name`.
    """
    pulls: list[Pull] = []
    for link in links:
        x, pull_layer = link.layer(x, *[params[name] for name in link.weights])
        pulls.append(pull_layer)

    def pull(dy: Tensor, need_dx: bool = False) -> tuple[Tensor | None, Grads]:
        grads: Grads = {}
        d: Any = dy
        for position in reversed(range(len(links))):
            d, *dweights = pulls[position](d, need_dx=need_dx or position > 0)
            grads.update(zip(links[position].weights, dweights, strict=True))
        return d, grads

    return x, pull
