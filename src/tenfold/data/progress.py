"""Progress of work on data that takes more than a moment, to whoever watches it."""

__all__ = ["Watch", "Work", "counting", "unwatched"]

import time
from collections.abc import Callable
from math import nan
from typing import NamedTuple

INTERVAL = 0.2


class Work(NamedTuple):
    """How far some work is. name: what is done, such as "reading images". seconds_left: NaN before the first part."""

    name: str
    done: int
    total: int
    seconds_left: float


Watch = Callable[[Work], None]


def unwatched(work: Work) -> None:
    """Tell nobody."""


def counting(watch: Watch, name: str, total: int) -> Callable[[int], None]:
    """Announce some work at once, if there is any; return what to call with how much of it is done.

    The watcher is called at most five times a second, and when all is done.
    """
    start = said = time.monotonic()
    if total:
        watch(Work(name, 0, total, nan))

    def advance(done: int) -> None:
        nonlocal said
        now = time.monotonic()
        if done and (now - said >= INTERVAL or done == total):
            said = now
            watch(Work(name, done, total, (now - start) * (total - done) / done))

    return advance
