"""How a picture of unequal sides becomes a square.

crop        its center: as wide and high as its shorter side, the rest cut off
squash      all of it, in other proportions
letterbox   all of it in its own proportions, between bars of GREY
auto        crop for photographs, whose subject is near the center, and squash for drawings and scans, of which none of
            the edges may be lost

The square is resized bilinearly, with the support widened where it shrinks (anti-aliased).
"""

__all__ = ["FRAMINGS", "framed", "framing_of", "resized"]

from PIL import Image

FRAMINGS = ("crop", "squash", "letterbox")
GREY = 128


def framing_of(word: str, photographs: bool) -> str:
    """Return what "auto" means for these pictures, or another word as it is.

    >>> framing_of("auto", True), framing_of("letterbox", True)
    ('crop', 'letterbox')
    """
    return word if word in FRAMINGS else "crop" if photographs else "squash"


def framed(picture: Image.Image, side: int, framing: str) -> Image.Image:
    """Return the square of so many pixels a side of a grey or RGB picture. framing: one of FRAMINGS."""
    width, height = picture.size
    if width == height or framing == "squash":
        return resized(picture, (side, side))
    if framing == "crop":
        short = min(width, height)
        left, top = (width - short) // 2, (height - short) // 2
        return resized(picture.crop((left, top, left + short, top + short)), (side, side))
    inner = tuple(max(1, round(side * length / max(width, height))) for length in picture.size)
    square = Image.new(picture.mode, (side, side), (GREY,) * len(picture.getbands()))
    square.paste(resized(picture, inner), ((side - inner[0]) // 2, (side - inner[1]) // 2))
    return square


def resized(picture: Image.Image, sides: tuple[int, ...]) -> Image.Image:
    """Return a picture with so many pixels a side."""
    width, height = sides
    same = picture.size == (width, height)
    return picture if same else picture.resize((width, height), Image.Resampling.BILINEAR)
