"""Ctrl-C and SIGTERM: at once where nothing is at stake, at the next step where a checkpoint comes first."""

__all__ = ["SIGNALS", "Interrupts", "imports_under_way", "listening"]

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from tenfold.errors import Interrupted

SIGNALS = (signal.SIGINT, signal.SIGTERM)
# Signals within so many seconds of the first one ask for the same: somebody hit the keys three times.
SAME = 2.0
# An exception inside an import may be lost or turned into another; a signal that comes there comes again after this.
AGAIN = 0.05


@dataclass
class Interrupts:
    """The signal that came (0: none) and when, and whether somebody looks at it soon enough by himself.

    imports: those that were under way when listening began.
    """

    came: int = 0
    looked_at: bool = False
    imports: int = 0
    when: float = 0.0

    def take(self, number: int, frame: FrameType | None) -> None:
        """Note a signal, and break off unless somebody looks soon; a later one breaks off at once."""
        if imports_under_way(frame) > self.imports:
            timer = threading.Timer(AGAIN, os.kill, (os.getpid(), number))
            timer.daemon = True
            timer.start()
            return
        if self.came and time.monotonic() - self.when < SAME:
            return
        again, self.came, self.when = bool(self.came), number, time.monotonic()
        if again or not self.looked_at:
            raise Interrupted("interrupted", 128 + number)

    @contextmanager
    def patient(self) -> Iterator[None]:
        """Inside the block somebody looks at `came` after every step."""
        self.looked_at = True
        try:
            yield
        finally:
            self.looked_at = False


@contextmanager
def listening() -> Iterator[Interrupts]:
    """Take SIGINT and SIGTERM inside the block (in the main thread, the only one that gets signals)."""
    interrupts = Interrupts(imports=imports_under_way(sys._getframe()))
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return
    before = {number: signal.signal(number, interrupts.take) for number in SIGNALS}
    try:
        yield interrupts
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def imports_under_way(frame: FrameType | None) -> int:
    """Count the imports that a frame is inside of."""
    count = 0
    while frame is not None:
        count += frame.f_code.co_filename.startswith("<frozen importlib")
        frame = frame.f_back
    return count
