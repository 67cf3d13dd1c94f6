"""A residual block: y = relu(F(x) + S(x)), ∂L/∂x = Fᵀ d + Sᵀ d with d = ∂L/∂y [y > 0].

F and S are chains of components; S is the identity where it has none.
"""

__all__ = ["residual"]

from collections.abc import Iterator, Sequence
from typing import Any

from torch import Tensor

from tenfold.engine.chain import applied, through
from tenfold.engine.components import Component, buffer_shapes, link, shapes_of
from tenfold.engine.types import Link, Pull


def residual(name: str, body: Sequence[Component], aside: Sequence[Component]) -> Component:
    """Return the block as one component, whose weights and buffers are those of body and aside by their names."""
    both = (*body, *aside)
    weights, buffers = shapes_of(both), buffer_shapes(both)

    def layer(x: Tensor, *given: Tensor, training: bool = True) -> tuple[Tensor, Pull, tuple[Tensor, ...]]:
        named = dict(zip((*weights, *buffers), given, strict=True))
        y, pull_body, after = through(_links(body, training), named, named, x)
        skipped, pull_aside, after = through(_links(aside, training), named, after, x)
        total = (y + skipped).relu_()

        def pull(dy: Tensor, need_dx: bool = True) -> tuple[Any, ...]:
            d = dy * (total > 0)
            parts = pull_body(d, need_dx=need_dx), pull_aside(d, need_dx=need_dx)
            grads = parts[0][1] | parts[1][1]
            dx = [part for part, _ in parts if part is not None]
            return (dx[0] + dx[1] if need_dx else None, *[grads[key] for key in weights])

        return total, pull, tuple(after[key] for key in buffers)

    def inside(x: Tensor, *given: Tensor) -> Iterator[tuple[str, Tensor]]:
        named = dict(zip((*weights, *buffers), given, strict=True))
        for part in (body, aside):
            h = x
            for one in _links(part, training=True):
                h = applied(one, named, named, h)[0]
                yield one.name, h

    return Component(name, layer, weights, buffers, has_modes=True, inside=inside)


def _links(components: Sequence[Component], training: bool) -> tuple[Link, ...]:
    return tuple(made for component in components if (made := link(component, training, {})))
