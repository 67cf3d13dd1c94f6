"""The machine that this runs on: its processor by name, what is fastest on it, and memory that stays with the process.

A population's gradients are tens of megabytes that come and go in every step; glibc would give each back to the kernel
and fault it in again, page by page, which took as long as the products did.
"""

__all__ = ["keep_freed", "least_seconds", "measured_once", "processor"]

import ctypes
import json
import os
import platform
import re
import sys
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import cache
from pathlib import Path

import platformdirs
import torch

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


def measured_once(topic: str, words: Collection[str], measure: Callable[[], str]) -> str:
    """Return the word that was measured to be best on this machine: from the user's cache, else measured and kept.

    Where another process has kept a choice meanwhile, that one counts; a cache that can't be had is done without.
    """
    described = f"{processor()} {torch.__version__} {torch.get_num_threads()}"
    machine = re.sub(r"[^A-Za-z0-9.]+", "-", described)
    path = Path(platformdirs.user_cache_dir("tenfold")) / f"{topic}-{machine}.json"
    return _kept(path, words) or _keep(path, words, measure())


def least_seconds(work: Callable[[], object], times: int = 12) -> float:
    """Time some work, best of some times: the least disturbed run says what the machine can do."""
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def _kept(path: Path, words: Collection[str]) -> str:
    with suppress(OSError, ValueError, KeyError, TypeError):
        word = json.loads(path.read_text())["route"]
        return word if word in words else ""
    return ""


def _keep(path: Path, words: Collection[str], word: str) -> str:
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps({"route": word}))
        with suppress(FileExistsError):
            os.link(partial, path)
        # What lies there and is no choice, a damaged file, is replaced.
        partial.unlink() if _kept(path, words) else partial.replace(path)
    return _kept(path, words) or word
