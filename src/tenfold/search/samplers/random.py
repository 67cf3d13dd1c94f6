"""Independent draws (Bergstra and Bengio 2012): each piece of an axis equally likely, log ranges log-uniform."""

__all__ = ["random"]

from collections.abc import Sequence

from tenfold.choices import applicable
from tenfold.recipe import Settings
from tenfold.search.axes import Axis, place
from tenfold.seeds import generator


def random(
    axes: Sequence[Axis], count: int, seed: int, batch: int, scored: Sequence[tuple[Settings, float | None]]
) -> list[Settings]:
    """Draw `count` members, from a separate stream for each batch; scored changes nothing."""
    places = generator(seed, "sweep", "random", batch).random((count, len(axes)))
    return [applicable({axis.name: place(axis, u) for axis, u in zip(axes, row, strict=True)}) for row in places]
