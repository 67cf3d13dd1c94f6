"""What a reported number or statement is judged by: the line that it speaks of, and what follows from that."""

__all__ = ["FOLLOWS", "RENDERED", "RIGHT", "SLIP", "Line", "Verdict", "dot", "follows", "line_of", "root", "value_at"]

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from tenfold.teach.margin.points import Places
from tenfold.teach.margin.types import Number, Separated, Soft
from tenfold.teach.printed import fidelity

RIGHT = "right"
SLIP = "slip here"
FOLLOWS = "follows from an earlier slip"
RENDERED = ("exact", "rounded", "truncated")


class Verdict(NamedTuple):
    """about: what it is; printed: as printed; right: what it should be; sentence: why, "" where that is plain.

    verdict: one of RENDERED for a number, RIGHT for a statement, FOLLOWS, SLIP. note: of whoever wrote it down.
    """

    about: str
    printed: str
    right: str
    verdict: str
    sentence: str = ""
    note: str = ""


class Line(NamedTuple):
    """w·x + b = 0, and the positions of the points with w·x + b = ±1 on their own side."""

    w: tuple[Number, ...]
    b: Number
    support: tuple[int, ...]


def line_of(found: Separated | Soft) -> Line:
    """The line of a solution, in fractions where it is known in these."""
    if isinstance(found, Separated) and found.exact:
        return Line(found.exact.w, found.exact.b, found.support)
    return Line(tuple(found.w.tolist()), float(found.b), found.support)


def follows(printed: Sequence[str], values: Sequence[Number]) -> str:
    """How written numbers render values: the worst of several, SLIP where one does not."""
    if len(printed) != len(values):
        return SLIP
    found = [fidelity(text, value) if math.isfinite(value) else "" for text, value in zip(printed, values, strict=True)]
    return SLIP if "" in found else max(found, key=RENDERED.index)


def value_at(line: Line, place: Places) -> Number:
    """w·x + b at a point."""
    x: Sequence[Number] = place.exact[0] if place.exact else place.x[0].tolist()
    return dot(line.w, x) + line.b


def dot(a: Sequence[Number], b: Sequence[Number]) -> Number:
    """A fraction where both are."""
    total: Number = Fraction()
    for p, q in zip(a, b, strict=True):
        total = total + p * q
    return total


def root(squared: Number) -> Number:
    """A square root, as a fraction where it is one.

    >>> root(Fraction(9, 4)), root(Fraction(2))
    (Fraction(3, 2), 1.4142135623730951)
    """
    if isinstance(squared, Fraction):
        above, below = math.isqrt(squared.numerator), math.isqrt(squared.denominator)
        if above**2 == squared.numerator and below**2 == squared.denominator:
            return Fraction(above, below)
    return math.sqrt(squared)
