"""Ctrl-C and SIGTERM: at once where nothing is at stake, at the next step where a checkpoint comes first."""

__all__ = ["Interrupts", "listening"]

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from tenfold.errors import Interrupted


@dataclass
class Interrupts:
    """The signal that came (0: none), and whether somebody looks at it soon enough by himself."""

    came: int = 0
    looked_at: bool = False

    def take(self, number: int, frame: FrameType | None) -> None:
        """Note a signal, and break off unless somebody looks soon; a second one breaks off at once."""
        again, self.came = bool(self.came), number
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
    interrupts = Interrupts()
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return
    before = {number: signal.signal(number, interrupts.take) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupts
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
