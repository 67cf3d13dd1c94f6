"""The end of a process when the one that started it is gone, killed perhaps, so that nobody writes unasked."""

__all__ = ["end_with"]

import os
import select
import threading
import time
from functools import cache

# Seconds between two looks, where the system cannot wake a process when another one ends.
LOOK = 0.2


@cache
def end_with(parent: int) -> None:
    """End this process as by a kill when its parent, a process id, ends; watched by a thread from now on."""
    threading.Thread(target=_outlast, args=(parent,), daemon=True).start()


def _outlast(parent: int) -> None:
    """Wait for the end of the parent; after that a process has another one, as a rule that of all processes."""
    try:
        handle = os.pidfd_open(parent)
    except (AttributeError, OSError):  # not Linux, or the parent is gone already
        while os.getppid() == parent:
            time.sleep(LOOK)
    else:
        if os.getppid() == parent:  # else the number belongs to another process by now
            select.select([handle], [], [])
    os._exit(1)
