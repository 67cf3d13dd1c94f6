"""What a run tells whoever watches it."""

__all__ = ["Event"]

from typing import NamedTuple


class Event(NamedTuple):
    """What a run tells whoever watches it, a few times a second.

    rung: name of what is being trained, "" before. done, total: epochs (fractions too) of this rung.
    images_per_second: images × members stepped per second. best: best validation accuracy so far (0 to 1, NaN before
    the first), reached by best_rung. seconds_left: estimate for this rung, NaN where unknown.
    message: a line worth keeping on the screen, else "".
    """

    rung: str
    done: float
    total: float
    images_per_second: float
    best: float
    best_rung: str
    seconds_left: float
    message: str = ""
