"""Messages of a run to whoever watches it."""

__all__ = ["Event", "Watch", "line", "silent", "working"]

from collections.abc import Callable
from math import nan
from typing import NamedTuple

from tenfold.data.progress import Work


class Event(NamedTuple):
    """A message a few times a second.

    rung: name of what is being trained or done, "" before. done, total: epochs (fractions too) of this rung; of other
    work, whose unit is "", images or pairs of them.
    images_per_second: images × members stepped per second. best: best validation score so far (0 to 1, NaN before
    the first), reached by best_rung. seconds_left: estimate for this rung, NaN where unknown.
    message: a line worth keeping on the screen, else "".
    """

    rung: str = ""
    done: float = 0.0
    total: float = 0.0
    images_per_second: float = 0.0
    best: float = nan
    best_rung: str = ""
    seconds_left: float = nan
    message: str = ""
    unit: str = "epoch"


Watch = Callable[[Event], None]


def line(watch: Watch) -> Callable[[str], None]:
    """Return a function that tells whoever watches one line of text."""
    return lambda message: watch(Event(message=message))


def working(watch: Watch) -> Callable[[Work], None]:
    """Return a function that tells whoever watches how far some work on the data is."""
    return lambda work: watch(
        Event(rung=work.name, done=work.done, total=work.total, seconds_left=work.seconds_left, unit="")
    )


def silent(event: Event) -> None:
    """Tell nobody."""
