"""Points that spread evenly: Sobol's sequence (1967), scrambled (Owen 1998; Matoušek 1998), a coordinate for each axis.

An even spread over the places of all axes together; a range that is one piece of several has its share of the points.
"""

__all__ = ["sobol"]

from collections.abc import Sequence

from scipy.stats import qmc

from tenfold.choices import applicable
from tenfold.recipe import Settings
from tenfold.search.axes import Axis, place
from tenfold.seeds import generator


def sobol(
    axes: Sequence[Axis], count: int, seed: int, batch: int, scored: Sequence[tuple[Settings, float | None]]
) -> list[Settings]:
    """Return the next `count` points of one sequence, after as many as are scored; the scores change nothing.

    Members in powers of two spread best. batch changes nothing: it is len(scored) that says where the sequence stands.
    """
    if not axes:
        return [{} for _ in range(count)]
    done = len(scored)
    sequence = qmc.Sobol(len(axes), scramble=True, rng=int(generator(seed, "sweep", "sobol").integers(2**63)))
    # Drawn in a power of two, as the sequence is defined, and cut: nothing is lost, and scipy has nothing to warn of.
    points = sequence.random_base2(max(0, done + count - 1).bit_length())[done : done + count]
    return [applicable({axis.name: place(axis, u) for axis, u in zip(axes, row, strict=True)}) for row in points]
