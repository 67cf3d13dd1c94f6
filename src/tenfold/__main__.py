"""The command `tenfold`, and `python -m tenfold`: take signals from the first moment on, then run the command line."""

__all__ = ["main"]

import importlib
import os
import signal
import sys
from types import FrameType

from tenfold.runs.interrupts import SIGNALS, imports_under_way


def main() -> None:
    """Run the command line; SIGINT and SIGTERM end it with "stopped" and 130 or 143, also while it is imported."""
    for number in SIGNALS:
        signal.signal(number, _stop)
    importlib.import_module("tenfold.cli").main()


def _stop(number: int, frame: FrameType | None) -> None:
    """Break off what the command does; leave at once where an import is under way, which would hide an exception."""
    if _working(frame) and not imports_under_way(frame):
        raise KeyboardInterrupt(number)
    os.write(2, b"tenfold: stopped\n")
    if "--json" in sys.argv:
        os.write(1, b'{"error": {"message": "stopped", "code": %d}}\n' % (128 + number))
    os._exit(128 + number)


def _working(frame: FrameType | None) -> bool:
    """Say if a command is being run, by the function that turns its exceptions into exit codes."""
    while frame is not None:
        if frame.f_code.co_name == "_run" and frame.f_globals.get("__name__") == "tenfold.cli":
            return True
        frame = frame.f_back
    return False


if __name__ == "__main__":
    main()
