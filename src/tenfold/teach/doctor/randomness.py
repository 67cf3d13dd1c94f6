"""A function's random numbers under control, so that what they do to a gradient can be told from what its code does.

"replayed": every call begins with all generators in the same state, so two calls draw the same numbers.
"frozen": every single draw begins there too, so a mask that is drawn a second time is the first one again.
"""

__all__ = ["controlled"]

import random
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from tenfold.teach.doctor.subject import Evaluation, Problem, Subject

SEED = 20070405
# By their own names, since numpy.random may be stood in for.
_DEFAULT, _NEW, _BITS, _LEGACY = np.random.default_rng, np.random.Generator, np.random.PCG64, np.random.RandomState


@contextmanager
def controlled(subject: Subject, mode: str, seed: int = SEED) -> Iterator[Callable[[Problem], Evaluation]]:
    """Yield the subject's `evaluate` with its random numbers replayed at every call, or frozen at every draw."""
    generators = _generators(subject.function)
    state = random.getstate(), np.random.get_state(), torch.get_rng_state()

    def evaluate(problem: Problem) -> Evaluation:
        random.seed(seed)
        np.random.seed(seed)
        torch.default_generator.manual_seed(seed)
        with ExitStack() as stack:
            for stand_in in _stand_ins(generators, mode, seed):
                stack.enter_context(stand_in)
            return subject.evaluate(problem)

    try:
        yield evaluate
    finally:
        random.setstate(state[0])
        np.random.set_state(state[1])
        torch.set_rng_state(state[2])


def _generators(function: Callable[..., Any] | None) -> list[tuple[Any, str, Any]]:
    """Return generators, and `default_rng` by its bare name, of a function's file, its object, and its closure.

    Each as a mapping, the name in it, and the value there; or a cell and no name.
    """
    places = [getattr(function, "__globals__", {}), getattr(getattr(function, "__self__", None), "__dict__", {})]
    named = [(place, name, kept) for place in places for name, kept in place.items()]
    cells = [(cell, "", cell.cell_contents) for cell in getattr(function, "__closure__", None) or ()]
    return [entry for entry in (*named, *cells) if isinstance(entry[2], _NEW | _LEGACY) or entry[2] is _DEFAULT]


def _stand_ins(generators: list[tuple[Any, str, Any]], mode: str, seed: int) -> Iterator[Any]:
    """Yield contexts in which one call finds generators of ours in the places of its own and of the libraries'."""
    streams, frozen = count(seed), _Echo(seed) if mode == "frozen" else None

    def opened(given: Any = None) -> Any:
        return frozen or _DEFAULT(next(streams) if given is None else given)

    for place, name, kept in generators:
        legacy = isinstance(kept, _LEGACY) and not frozen
        other = opened if kept is _DEFAULT else _LEGACY(seed) if legacy else opened()
        yield mock.patch.dict(place, {name: other}) if name else _filled(place, other)
    if frozen:
        yield mock.patch.object(np, "random", frozen)
        yield _Frozen(seed)
    else:
        yield mock.patch.object(np.random, "default_rng", opened)


@contextmanager
def _filled(cell: types.CellType, content: Any) -> Iterator[None]:
    """Exchange what a function closes over for as long as the block lasts."""
    kept = cell.cell_contents
    cell.cell_contents = content
    try:
        yield
    finally:
        cell.cell_contents = kept


class _Echo:
    """A NumPy generator, or numpy.random itself, that begins anew whenever it is asked for a way of drawing."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def __getattr__(self, name: str) -> Any:
        owners = (_NEW(_BITS(self._seed)), _LEGACY(self._seed), sys.modules["numpy.random"])
        return next(getattr(owner, name) for owner in owners if hasattr(owner, name))

    def default_rng(self, seed: Any = None) -> "_Echo":
        """Return the same, whatever the seed."""
        return self


class _Frozen(TorchFunctionMode):
    """Torch's generator begins anew with every operation."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed = seed

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        torch.default_generator.manual_seed(self._seed)
        return func(*args, **(kwargs or {}))
