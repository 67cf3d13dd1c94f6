"""Every combination of the values, the last axis changing fastest."""

__all__ = ["grid"]

import itertools
from collections.abc import Sequence

from tenfold.choices import applicable
from tenfold.errors import UsageError
from tenfold.recipe import Settings
from tenfold.search.axes import Axis, Range, text


def grid(
    axes: Sequence[Axis], count: int, seed: int, batch: int, scored: Sequence[tuple[Settings, float | None]]
) -> list[Settings]:
    """List the product of the lists; combinations that differ only in what their model lacks are one.

    count: 0, or the number that the product has. seed and scored change nothing; batches after the first are empty.
    Raises UsageError where an axis has a range, or for another count.
    """
    for axis in axes:
        if any(isinstance(piece, Range) for piece in axis.pieces):
            raise UsageError(
                f"--{axis.name.replace('_', '-')} {text(axis)}: a grid needs single values; "
                "give a list of them, or --members and another sampler"
            )
    product = itertools.product(*(axis.pieces for axis in axes))
    names = [axis.name for axis in axes]
    settings = [applicable(dict(zip(names, values, strict=True))) for values in product]
    once = list({tuple(member.items()): member for member in settings}.values())
    if count not in (0, len(once)):
        raise UsageError(f"--members {count}: the grid has {len(once)}; leave --members out, or give ranges to sample")
    return [] if batch else once
