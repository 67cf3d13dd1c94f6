"""The command line in processes that torchrun started: the first one runs the command, the others compute for it."""

__all__ = ["run_together"]

import os
import signal
from collections.abc import Callable

from tenfold.engine.follow import follow
from tenfold.engine.parallel import Team, join, using
from tenfold.runs.interrupts import SIGNALS


def run_together(command: Callable[[], int], guarded: Callable[[Callable[[], int]], int]) -> int:
    """Run a command by all processes, and return this one's exit code. guarded: reports the errors of what it calls."""
    group = join()
    try:
        if group.rank:
            return guarded(lambda: _follow(group))
        with using(group):
            return command()
    finally:
        group.leave()


def _follow(group: Team) -> int:
    """Compute for the leading process; whether to stop is its decision, which torchrun and Ctrl-C ask all for."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    follow(group)
    return os.EX_OK
