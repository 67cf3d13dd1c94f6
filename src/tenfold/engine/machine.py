"""The machine that this runs on: its processor by name, and memory that stays with the process.

A population's gradients are tens of megabytes that come and go in every step; glibc would give each back to the kernel
and fault it in again, page by page, which took as long as the products did.
"""

__all__ = ["keep_freed", "processor"]

import ctypes
import platform
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

# Parameters of mallopt(3): blocks above this size are mapped afresh each time, a heap top above it is trimmed.
MMAP_THRESHOLD, TRIM_THRESHOLD = -3, -1
LARGEST = 2**30


@cache
def processor() -> str:
    """Return the processor's model name where the system tells, else its kind."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


@cache
def keep_freed() -> None:
    """Ask glibc to keep what is freed for the next step; elsewhere nothing happens."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            mallopt = ctypes.CDLL(None).mallopt
            mallopt(MMAP_THRESHOLD, LARGEST)
            mallopt(TRIM_THRESHOLD, 2 * LARGEST - 1)
