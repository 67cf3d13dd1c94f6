"""Figures inside the page: one SVG for light and one for dark, as data URIs, with what they show in words."""

__all__ = ["Illustration", "illustrate", "illustration"]

import base64
import re
from typing import NamedTuple

from tenfold.report.case import Case
from tenfold.report.svg import darkened, drawn

# A figure of a thousand members may be larger than all the rest of the page.
CAP = 500_000
# What an image has no use for: about a third of matplotlib's files. What is not closed goes to the end, so that a file
# made of openings takes no quadratic time.
_SPARE = re.compile(
    r"<\?xml.*?(?:\?>|\Z)|<!DOCTYPE.*?(?:>|\Z)|<!--.*?(?:-->|\Z)|<metadata>.*?(?:</metadata>|\Z)", re.DOTALL
)


class Illustration(NamedTuple):
    """A figure in both themes. width, height: in its own pixels."""

    word: str
    light: str
    dark: str
    alt: str
    width: int
    height: int


def illustrate(word: str, case: Case, alt: str) -> Illustration | None:
    """Return a figure, drawn where the run's folder has none; None where there is nothing, or far too much."""
    return illustration(word, case.figures.get(word) or drawn(word, case.results), alt)


def illustration(word: str, svg: str | None, alt: str) -> Illustration | None:
    """Return the text of an SVG file for both themes; None where there is none, it has no size, or is far too large."""
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg or "")
    if svg is None or size is None or len(svg) > CAP:
        return None
    width, height = (round(float(side)) for side in size.groups())
    return Illustration(word, _uri(svg), _uri(darkened(svg)), alt, width, height)


def _uri(svg: str) -> str:
    lean = re.sub(r">\s+<", "><", _SPARE.sub("", svg))
    return f"data:image/svg+xml;base64,{base64.b64encode(lean.encode()).decode()}"
