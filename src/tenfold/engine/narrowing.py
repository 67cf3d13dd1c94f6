"""The number format in which this machine convolves fastest.

bfloat16 halves what memory moves, and processors with instructions for it multiply twice as fast or more; others take
it apart in software and are many times slower. Which it is, is measured once, kept in the user's cache, overridden by
TENFOLD_PRECISION=bfloat16|float32, and written into every run's env.json.
"""

__all__ = ["PRECISIONS", "fastest_precision"]

import os
from functools import cache, partial

import torch

from tenfold.engine.machine import least_seconds, measured_once
from tenfold.errors import UsageError, nearest

PRECISIONS = ("bfloat16", "float32")
VARIABLE = "TENFOLD_PRECISION"
# The narrow format must be this much faster: it also costs accuracy.
MARGIN = 1.1


@cache
def fastest_precision() -> str:
    """Return "bfloat16" where convolutions are faster in it, else "float32"."""
    asked = os.environ.get(VARIABLE, "")
    if asked and asked not in PRECISIONS:
        raise UsageError(f"{VARIABLE}={asked}: no such precision, {nearest(asked, PRECISIONS)}")
    return asked or measured_once("precision", PRECISIONS, _measure)


def _measure() -> str:
    wide = torch.ones(16, 64, 15, 15).contiguous(memory_format=torch.channels_last)
    filters = torch.ones(64, 64, 3, 3)
    narrow, plain = (
        least_seconds(partial(torch.conv2d, wide.to(dtype), filters.to(dtype), None, 1, 1))
        for dtype in (torch.bfloat16, torch.float32)
    )
    return "bfloat16" if plain > MARGIN * narrow else "float32"
