"""Figures inside the page: one SVG for light and one for dark, as data URIs, with what they show in words.

A figure above half a megabyte is made smaller: the pictures in it become WebP, and where that is not enough, all of it
becomes one picture. A figure that is still too large is named, with its file.
"""

__all__ = ["Illustration", "illustrate", "illustration"]

import base64
import io
import math
import re
from typing import Any, NamedTuple

from PIL import Image

from tenfold.report.case import Case
from tenfold.report.svg import darkened, drawn, picture
from tenfold.text import size_of

# A figure of a thousand members may be larger than all the rest of the page.
CAP = 500_000
# Pixels of a picture that is opened to make it smaller; the part of its sides that stays: of the 150 dots an inch
# that figures are drawn with, a page shows some 80.
_PIXELS, _PART = 4_000_000, 0.53
_QUALITY = 80
# What an image has no use for: about a third of matplotlib's files. What is not closed goes to the end, so that a file
# made of openings takes no quadratic time.
_SPARE = re.compile(
    r"<\?xml.*?(?:\?>|\Z)|<!DOCTYPE.*?(?:>|\Z)|<!--.*?(?:-->|\Z)|<metadata>.*?(?:</metadata>|\Z)", re.DOTALL
)
_INSIDE = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=\s]+)")


class Illustration(NamedTuple):
    """A figure in both themes. width, height: in its own pixels; light, dark: "" where it is too large, as alt says."""

    word: str
    light: str
    dark: str
    alt: str
    width: int
    height: int


def illustrate(word: str, case: Case, alt: str) -> Illustration | None:
    """Return a figure, drawn where the run's folder has none; None where there is nothing."""
    svg = case.figures.get(word) or drawn(word, case.results)
    shown = illustration(word, svg, alt)
    if shown is None or shown.light or (png := picture(word, case.results)) is None:
        return shown
    uri = _webp(png, 1.0)
    return shown._replace(light=uri, dark=uri, alt=alt) if len(uri) <= CAP else shown


def illustration(word: str, svg: str | None, alt: str) -> Illustration | None:
    """Return the text of an SVG file for both themes; None where there is none, or it has no size."""
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg or "")
    if svg is None or size is None:
        return None
    width, height = (round(float(side)) for side in size.groups())
    small = svg if len(svg) <= CAP else _INSIDE.sub(_smaller, svg)
    if len(small) > CAP:
        missing = f"The figure {word.replace('_', ' ')} ({size_of(len(small))}) is too large for this page"
        return Illustration(word, "", "", f"{missing}: see figures/{word}.svg.", width, height)
    return Illustration(word, _uri(small), _uri(darkened(small)), alt, width, height)


def _smaller(inside: re.Match[str]) -> str:
    """Return a picture inside a figure as WebP, or as it is where it cannot be read."""
    try:
        return _webp(base64.b64decode(inside[1]), _PART)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return inside[0]


def _webp(png: bytes, part: float) -> str:
    """Return a PNG as the data URI of a WebP with this part of its sides; a ValueError where it is far too large."""
    with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        if image.width * image.height > _PIXELS:
            raise ValueError("too many pixels")
        written = io.BytesIO()
        options: dict[str, Any] = {"quality": _QUALITY, "method": 4}
        small = image.convert("RGBA" if "A" in image.getbands() else "RGB")
        small.thumbnail((math.ceil(part * image.width), math.ceil(part * image.height)))
        small.save(written, "WEBP", **options)
    return f"data:image/webp;base64,{base64.b64encode(written.getvalue()).decode()}"


def _uri(svg: str) -> str:
    lean = re.sub(r">\s+<", "><", _SPARE.sub("", svg))
    return f"data:image/svg+xml;base64,{base64.b64encode(lean.encode()).decode()}"
