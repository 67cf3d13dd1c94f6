"""What the laws need to know of the entries of a room: each entry's mirror file declares it in CASES."""

import importlib
import importlib.util

import pytest

from tenfold.rooms import find, names

ROOMS = ("layers", "losses", "embedding_losses", "models", "optimizers", "schedules", "augmentations", "tasks")
MODULES = ("penalties", "initializers", "standardizations")


def declared(room, word):
    """What the mirror file says of an entry, None where it is missing."""
    package = "data" if room in ("augmentations", "standardizations") else "engine"
    name = f"tests.{package}.{room}.test_{word}" if room in ROOMS else f"tests.{package}.test_{room}"
    if not importlib.util.find_spec(name):
        return None
    cases = getattr(importlib.import_module(name), "CASES", None)
    return cases if room in ROOMS or cases is None else cases.get(word)


def entries(room):
    return [word for word in names(room) if declared(room, word)]


def over(room, keep=lambda case: True):
    """Every case of every entry of a room."""
    return [
        pytest.param(find(room, word), case, id=f"{word}: {name}")
        for word in entries(room)
        for name, case in declared(room, word).items()
        if keep(case)
    ]


def relative(a, n):
    """Relative error of two gradients: max|a − n| / max(1e-8, max|a| + max|n|)."""
    return float((a - n).abs().max() / max(1e-8, float(a.abs().max() + n.abs().max())))
