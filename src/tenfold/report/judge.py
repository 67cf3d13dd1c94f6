"""The judge of numbers that somebody wrote down: the words of its verdicts, and one noun for whatever was judged.

exact, rounded, truncated             the number renders the value (printed.py)
right                                 the statement holds
follows from an earlier rounding      the number is right for numbers printed above it, which were rounded
follows from an earlier slip          it is right for numbers printed above it, of which one is wrong
slip here                             none of these
"""

__all__ = [
    "EARLIER_ROUNDING", "EARLIER_SLIP", "RENDERED", "RIGHT", "SLIP", "Judgment", "counted_verdict", "rendering",
    "standing", "tally", "worst_rendering",
]  # fmt: skip

from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from tenfold.report.printed import fidelity, significant

RENDERED = ("exact", "rounded", "truncated")
RIGHT = "right"
EARLIER_ROUNDING = "follows from an earlier rounding"
EARLIER_SLIP = "follows from an earlier slip"
SLIP = "slip here"
VERDICTS = (*RENDERED, RIGHT, EARLIER_ROUNDING, EARLIER_SLIP, SLIP)


class Judgment(NamedTuple):
    """A verdict on a number or a statement.

    about: what it is of, a name or a key; printed: as it was printed; right: what it should be, as text; sentence: why,
    "" where that is plain; note: of whoever wrote it down, or "".
    """

    about: str
    printed: str
    right: str
    verdict: str
    sentence: str = ""
    note: str = ""

    @property
    def rest(self) -> str:
        """Return what the sentence says after its verdict, to be written behind that.

        >>> Judgment("b", "0.65", "0.52", "slip here", "slip here, in the update").rest
        ', in the update'
        """
        if self.sentence.startswith(self.verdict):
            return self.sentence.removeprefix(self.verdict)
        return f": {self.sentence}" if self.sentence else ""


def rendering(printed: str, value: Fraction | float, least: int = 0) -> str:
    """Return how a written number renders a value, "" where it does not.

    least: significant digits that it needs for that, unless it is exact.

    >>> rendering("0.3", Fraction(1, 3)), rendering("0.0", Fraction("0.04")), rendering("0.0", Fraction("0.04"), 1)
    ('rounded', 'rounded', '')
    """
    verdict = fidelity(printed, value)
    return verdict if verdict == "exact" or significant(printed) >= least else ""


def worst_rendering(printed: Sequence[str], values: Sequence[Fraction | float]) -> str:
    """Return how several written numbers render their values: as the worst does, SLIP where one does not.

    >>> worst_rendering(["0.5", "0.33"], [Fraction(1, 2), Fraction(1, 3)]), worst_rendering(["0.5"], [])
    ('rounded', 'slip here')
    """
    if len(printed) != len(values):
        return SLIP
    verdicts = [fidelity(text, value) for text, value in zip(printed, values, strict=True)]
    return SLIP if "" in verdicts else max(verdicts, key=RENDERED.index)


def standing(verdict: str) -> str:
    """Return whose fault a verdict is: "right" nobody's, "follows" that of a number above, "slip" its own."""
    if verdict == SLIP:
        return "slip"
    return "follows" if verdict in (EARLIER_ROUNDING, EARLIER_SLIP) else "right"


def tally(judgments: Iterable[Judgment]) -> dict[str, int]:
    """Count the verdicts that were given, the better first."""
    counts = Counter(judgment.verdict for judgment in judgments)
    return {verdict: counts[verdict] for verdict in VERDICTS if verdict in counts}


def counted_verdict(verdict: str, count: int) -> str:
    """Say how often a verdict was given.

    >>> counted_verdict("slip here", 1), counted_verdict("slip here", 2)
    ('1 slip', '2 slips')
    >>> counted_verdict("follows from an earlier slip", 3)
    '3 follow from an earlier slip'
    """
    words = verdict.replace(SLIP, "slip" if count == 1 else "slips")
    return f"{count} {words if count == 1 else words.replace('follows ', 'follow ', 1)}"
