"""Tolerance of a reported number, and whose choice it is: the printed digits, the default rule, or the table's own.

Half of the last printed digit is always allowed. Beyond that the default rule allows half a point of a share, and 0.05
of a loss or a cost, nothing of a gradient check; a table or a cell may state a tolerance of its own, with its reason.
"""

__all__ = ["BY_CHOICE", "BY_DEFAULT", "BY_DIGITS", "Tolerance", "tolerance_of"]

from typing import NamedTuple

from tenfold.reproduce.judge import allowed
from tenfold.reproduce.values import CHECKED, LOWER

BY_DIGITS = "printed digits"
BY_DEFAULT = "default rule"
BY_CHOICE = "choice of the table"
SHARE, LOSS = "0.5 points", "0.05 absolute"


class Tolerance(NamedTuple):
    """How far a mean may lie off. words: "0.5 points"; by: whose choice; why: the reason of a choice, "" for none."""

    words: str
    by: str
    why: str

    def room(self, reported: float, half_unit: float) -> float:
        """Return all that is allowed, in the unit of `reported`. half_unit: half of its last printed digit."""
        return half_unit + allowed(self.words, reported)


def tolerance_of(metric: str, cell: tuple[str, str], table: tuple[str, str]) -> Tolerance:
    """Return the tolerance of a cell: its own, else the table's for a share, else that of the default rule.

    cell, table: tolerance and reason of each, "" where it states none. A table's points are of shares; of a loss or a
    cost they say nothing.
    """
    for words, why in (cell, table):
        if words and not (metric in LOWER and words.endswith("points")):
            return Tolerance(words, BY_CHOICE, why)
    if metric in CHECKED:
        return Tolerance("0 absolute", BY_DIGITS, "")
    return Tolerance(LOSS if metric in LOWER else SHARE, BY_DEFAULT, "")
