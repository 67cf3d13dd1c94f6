"""The behavior of a function that is called again at the same point: the same, anew at random, or by what came before.

A gradient is one of a function. Where two calls differ, its random numbers are taken under control:

"replayed": every call begins with all generators in the same state, so two calls draw the same numbers.
"frozen": every single draw begins there too, so a mask that is drawn a second time is the first one again.

If the gradient is right once they are replayed, numbers were only drawn anew on each call; if it takes that every draw
is the same, a mask was drawn a second time on the way back.
"""

__all__ = ["DRAWING", "DREW_AGAIN", "NEW_EACH_CALL", "REMEMBERED", "conduct", "controlled", "held"]

import random
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from itertools import count
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from tenfold.errors import TenfoldError
from tenfold.teach.doctor.subject import Evaluation, Problem, Subject

REMEMBERED = (
    "the first call at a point gives another gradient than the second: something is remembered from the call before "
    "(activations, weights); compute it from this call's own arguments"
)
NEW_EACH_CALL = (
    "random numbers (an augmentation, noise, a mask) are drawn anew on every call, so two calls are not the same "
    "function; the gradient of each call is right: draw outside and hand it in, or fix the seed before each call"
)
DREW_AGAIN = (
    "a random mask is drawn a second time on the way back: the gradient is right once every draw is the same; keep the "
    "mask of the forward pass and multiply by it"
)

AGAIN = 6  # calls at one point: what is drawn with an even chance is the same in all of them once in 32 times
DRAWING = ("random", "seeded")  # conducts whose value depends on random numbers that can be controlled
SEED = 20070405
# By their own names, since numpy.random may be stood in for.
_DEFAULT, _NEW, _BITS, _LEGACY = np.random.default_rng, np.random.Generator, np.random.PCG64, np.random.RandomState


def conduct(subject: Subject, problems: Sequence[Problem]) -> str:
    """Call a function at one point after another point, several times, and once more after that other.

    Returns "steady", "seeded" (steady, by random numbers with a seed of its own), "random" (two calls at one point
    differ), "stale" (the first call at a point depends on the one before it) or "restless" (calls differ though all
    random numbers that can be controlled are replayed).
    """
    first, other = problems[0], problems[-1] if len(problems) > 1 else problems[0]._replace(x=problems[0].x + 1)
    subject.evaluate(other)
    fresh, *later = (subject.evaluate(first) for _ in range(1 + AGAIN))
    steady = all(_same(later[0], one) for one in later[1:])
    if steady:
        subject.evaluate(other)
        steady = _same(fresh, subject.evaluate(first))
    if not steady:
        with controlled(subject, "replayed") as replayed:
            return "random" if _same(replayed.evaluate(first), replayed.evaluate(first)) else "restless"
    if not _same(fresh, later[0]):
        return "stale"
    try:
        with controlled(subject, "frozen") as frozen:  # do other random numbers change what it gives?
            return "steady" if _same(fresh, frozen.evaluate(first)) else "seeded"
    except TenfoldError:  # its draws cannot be stood in for
        return "steady"


def held(subject: Subject, kind: str, mode: str) -> AbstractContextManager[Subject]:
    """Hold a function of that conduct: its random numbers "replayed" or "frozen", or called twice if it remembers."""
    if kind in DRAWING:
        return controlled(subject, mode)
    twice = subject._replace(evaluate=lambda p: (subject.evaluate(p), subject.evaluate(p))[1])
    return nullcontext(twice if kind == "stale" else subject)


def _same(a: Evaluation, b: Evaluation) -> bool:
    """Judge whether two calls gave the same, up to the rounding of sums in another order."""
    near = 1e-12 if a.dtype == "float64" else 1e-5
    pairs = [(np.array(a.value), np.array(b.value)), *((a.grads[name], b.grads[name]) for name in a.grads)]
    sized = [(x, y, near * float(np.abs(x[np.isfinite(x)]).max(initial=0.0))) for x, y in pairs]
    return all(np.allclose(x, y, rtol=near, atol=size, equal_nan=True) for x, y, size in sized)


@contextmanager
def controlled(subject: Subject, mode: str) -> Iterator[Subject]:
    """Yield the subject with its random numbers replayed at every call, or frozen at every draw."""
    generators = _generators(subject.function)
    state = random.getstate(), np.random.get_state(), torch.get_rng_state()

    def evaluate(problem: Problem) -> Evaluation:
        random.seed(SEED)
        np.random.seed(SEED)
        torch.default_generator.manual_seed(SEED)
        with ExitStack() as stack:
            for stand_in in _stand_ins(generators, mode):
                stack.enter_context(stand_in)
            return subject.evaluate(problem)

    try:
        yield subject._replace(evaluate=evaluate)
    finally:
        random.setstate(state[0])
        np.random.set_state(state[1])
        torch.set_rng_state(state[2])


def _generators(function: Callable[..., Any] | None) -> list[tuple[Any, str, Any]]:
    """Return generators of a function's file, object and closure: mapping, name in it, value; or cell and no name."""
    places = [getattr(function, "__globals__", {}), getattr(getattr(function, "__self__", None), "__dict__", {})]
    named = [(place, name, kept) for place in places for name, kept in place.items()]
    cells = [(cell, "", cell.cell_contents) for cell in getattr(function, "__closure__", None) or ()]
    return [entry for entry in (*named, *cells) if isinstance(entry[2], _NEW | _LEGACY) or entry[2] is _DEFAULT]


def _stand_ins(generators: list[tuple[Any, str, Any]], mode: str) -> Iterator[Any]:
    """Yield contexts in which one call finds generators of ours in the places of its own and of the libraries'."""
    streams, frozen = count(SEED), _Echo() if mode == "frozen" else None

    def opened(given: Any = None) -> Any:
        return frozen or _DEFAULT(next(streams) if given is None else given)

    for place, name, kept in generators:
        legacy = isinstance(kept, _LEGACY) and not frozen
        other = opened if kept is _DEFAULT else _LEGACY(SEED) if legacy else opened()
        yield mock.patch.dict(place, {name: other}) if name else _filled(place, other)
    if frozen:
        yield mock.patch.object(np, "random", frozen)
        yield _Frozen()
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

    def __getattr__(self, name: str) -> Any:
        owners = (_NEW(_BITS(SEED)), _LEGACY(SEED), sys.modules["numpy.random"])
        return next(getattr(owner, name) for owner in owners if hasattr(owner, name))

    def default_rng(self, seed: Any = None) -> "_Echo":
        return self


class _Frozen(TorchFunctionMode):
    """Torch's generator begins anew with every operation."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        torch.default_generator.manual_seed(SEED)
        return func(*args, **(kwargs or {}))
