"""The behavior of a function that is called again at the same point: the same, anew at random, or by what came before.

A gradient is one of a function. Where two calls differ, its random numbers are taken under control (randomness.py): if
the gradient is right once they are replayed, numbers were only drawn anew on each call; if it takes that every draw is
the same, a mask was drawn a second time on the way back.
"""

__all__ = ["DREW_AGAIN", "NEW_EACH_CALL", "REMEMBERED", "Conduct", "conduct"]

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from tenfold.errors import TenfoldError
from tenfold.teach.doctor.looking import Evaluate
from tenfold.teach.doctor.randomness import controlled
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

AGAIN = 6
"""Calls at one point: what is drawn with an even chance is the same in all of them once in 32 times."""


class Conduct(NamedTuple):
    """kind: "steady", "seeded" (steady, by random numbers with a seed of its own), "random" (two calls at one point
    differ), "stale" (the first call at a point depends on the one before it) or "restless" (calls differ though all
    random numbers that can be controlled are replayed).
    """

    kind: str
    subject: Subject

    @property
    def draws(self) -> bool:
        """Its value depends on random numbers that can be controlled."""
        return self.kind in ("random", "seeded")

    @contextmanager
    def controlled(self, mode: str) -> Iterator[Evaluate]:
        """Yield the function with its random numbers "replayed" or "frozen", and called twice where it remembers."""
        if self.draws:
            with controlled(self.subject, mode) as evaluate:
                yield evaluate
        elif self.kind == "stale":
            yield lambda problem: (self.subject.evaluate(problem), self.subject.evaluate(problem))[1]
        else:
            yield self.subject.evaluate


def conduct(subject: Subject, problems: Sequence[Problem]) -> Conduct:
    """Call a function at one point after another point, several times, and once more after that other."""
    first, other = problems[0], problems[-1] if len(problems) > 1 else problems[0]._replace(x=problems[0].x + 1)
    subject.evaluate(other)
    fresh, *later = (subject.evaluate(first) for _ in range(1 + AGAIN))
    steady = all(_same(later[0], one) for one in later[1:])
    if steady:
        subject.evaluate(other)
        steady = _same(fresh, subject.evaluate(first))
    if not steady:
        with controlled(subject, "replayed") as evaluate:
            return Conduct("random" if _same(evaluate(first), evaluate(first)) else "restless", subject)
    kind = "stale" if not _same(fresh, later[0]) else "seeded" if _seeded(subject, first, fresh) else "steady"
    return Conduct(kind, subject)


def _seeded(subject: Subject, first: Problem, given: Evaluation) -> bool:
    """Judge whether other random numbers change what a steady function gives."""
    try:
        with controlled(subject, "frozen") as evaluate:
            return not _same(given, evaluate(first))
    except TenfoldError:  # its draws cannot be stood in for
        return False


def _same(a: Evaluation, b: Evaluation) -> bool:
    """Judge whether two calls gave the same, up to the rounding of sums in another order."""
    near = 1e-12 if a.dtype == "float64" else 1e-5
    pairs = [(np.array(a.value), np.array(b.value)), *((a.grads[name], b.grads[name]) for name in a.grads)]
    sizes = [near * float(np.abs(x[np.isfinite(x)]).max(initial=0.0)) for x, _ in pairs]
    return all(
        np.allclose(x, y, rtol=near, atol=size, equal_nan=True) for (x, y), size in zip(pairs, sizes, strict=True)
    )
