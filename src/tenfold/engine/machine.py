"""The processor that this runs on, by name."""

__all__ = ["processor"]

import platform
from functools import cache
from pathlib import Path


@cache
def processor() -> str:
    """Its model name where the system tells, else its kind."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()
