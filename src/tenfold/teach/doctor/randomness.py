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


@contextmanager
def controlled(subject: Subject, mode: str, seed: int = SEED) -> Iterator[Callable[[Problem], Evaluation]]:
    """The subject's `evaluate` with its random numbers replayed from a seed at every call, or frozen at every draw."""
    found = _found(subject.function)

    def evaluate(problem: Problem) -> Evaluation:
        with ExitStack() as stack:
            _restart(seed)
            opened = _opener(seed, mode)
            for place, name, kept in found:
                own = opened if kept is _DEFAULT else _stand_in(kept, seed, opened)
                stack.enter_context(mock.patch.dict(place, {name: own}) if name else _filled(place, own))
            for patch in _patches(seed, mode, opened):
                stack.enter_context(patch)
            return subject.evaluate(problem)

    state = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        yield evaluate
    finally:
        random.setstate(state[0])
        np.random.set_state(state[1])
        torch.set_rng_state(state[2])


@contextmanager
def _filled(cell: types.CellType, own: Any) -> Iterator[None]:
    """What a function closes over, exchanged for as long as the block lasts."""
    kept = cell.cell_contents
    cell.cell_contents = own
    try:
        yield
    finally:
        cell.cell_contents = kept


def _restart(seed: int) -> None:
    """The generators that Python, NumPy and torch share among all who ask."""
    random.seed(seed)
    np.random.seed(seed)
    torch.default_generator.manual_seed(seed)


# By their own names, since numpy.random may be stood in for.
_DEFAULT, _NEW, _BITS, _LEGACY = np.random.default_rng, np.random.Generator, np.random.PCG64, np.random.RandomState


def _opener(seed: int, mode: str) -> Callable[..., Any]:
    """What stands in for NumPy's default_rng during one call."""
    echo, streams = _Echo(seed), count(seed)
    if mode == "frozen":
        return lambda given=None: echo
    return lambda given=None: _DEFAULT(next(streams) if given is None else given)


def _stand_in(kept: Any, seed: int, opened: Callable[..., Any]) -> Any:
    """What stands in for a generator: one of the same kind, unless every draw is the same anyway."""
    other = opened()
    return _LEGACY(seed) if isinstance(kept, _LEGACY) and not isinstance(other, _Echo) else other


def _found(function: Callable[..., Any] | None) -> list[tuple[Any, str, Any]]:
    """Generators, and `default_rng` by its bare name: in a function's file, its object, and what it closes over.

    Each as a mapping, the name in it, and what is there; or a cell and no name.
    """
    places = [getattr(function, "__globals__", {}), getattr(getattr(function, "__self__", None), "__dict__", {})]
    named = [(place, name, kept) for place in places for name, kept in place.items()]
    cells = [(cell, "", cell.cell_contents) for cell in getattr(function, "__closure__", None) or ()]
    return [found for found in (*named, *cells) if _draws(found[2]) or found[2] is _DEFAULT]


def _draws(kept: Any) -> bool:
    return isinstance(kept, np.random.Generator | np.random.RandomState)


def _patches(seed: int, mode: str, opened: Callable[..., Any]) -> list[Any]:
    """What stands in for the libraries' own ways of drawing during one call."""
    if mode == "frozen":
        return [mock.patch.object(np, "random", _Echo(seed)), _Frozen(seed)]
    return [mock.patch.object(np.random, "default_rng", opened)]


class _Echo:
    """A NumPy generator, or numpy.random itself, that begins anew whenever it is asked for a way of drawing."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def __getattr__(self, name: str) -> Any:
        owners = (_NEW(_BITS(self._seed)), _LEGACY(self._seed), sys.modules["numpy.random"])
        return next(getattr(owner, name) for owner in owners if hasattr(owner, name))

    def default_rng(self, seed: Any = None) -> "_Echo":
        """Whatever the seed, the same."""
        return self


class _Frozen(TorchFunctionMode):
    """Torch's generator begins anew with every operation."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed = seed

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        torch.default_generator.manual_seed(self._seed)
        return func(*args, **(kwargs or {}))
