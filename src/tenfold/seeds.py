"""All randomness: Philox (Salmon et al. 2011) keyed by a seed and a path of words and numbers.

A stream is a function of (seed, path) alone: a run resumes from integers, a member never depends on its neighbors.
"""

__all__ = ["generator"]

import hashlib

import numpy as np


def generator(seed: int, *path: str | int) -> np.random.Generator:
    """Return an independent stream for one purpose, e.g. `generator(0, "order", epoch)`.

    >>> generator(0, "flip", 3).random() == generator(0, "flip", 3).random()
    True
    """
    digest = hashlib.sha256(repr((seed, *path)).encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))
