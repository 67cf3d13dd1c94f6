"""Axes of a sweep: an axis is one field of the Recipe with pieces, each a value or a range that is sampled.

In an option a comma separates the pieces: "0,1e-4:1:log" is the value 0 and a logarithmic range. Pieces have equal
weight. A place on an axis is a number u in [0, 1): its piece is the integer part of u · pieces, its place in that piece
the fraction.
"""

__all__ = [
    "KNOWN",
    "Axis",
    "Range",
    "allowed",
    "at",
    "check_axes",
    "fitting_piece",
    "parse_axis",
    "place",
    "position",
    "text",
]

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tenfold.choices import parse, recipe
from tenfold.errors import UsageError, nearest
from tenfold.recipe import OWNERS, SPLITTING, VARYING, Recipe

KNOWN = (*VARYING, *SPLITTING)
"""Fields that may be axes."""


@dataclass(frozen=True)
class Range:
    """Numbers from low to high, both included; scale: "linear", "log" or "int". Integers as ends: whole numbers."""

    low: float
    high: float
    scale: str


@dataclass(frozen=True)
class Axis:
    """One field of the Recipe and its pieces, each a value of the field or a Range; all have the same weight."""

    name: str
    pieces: tuple[Any, ...]


def parse_axis(name: str, option: Any) -> Axis:
    """Parse an axis from an option's text, or from Python: one piece or a list of them, ranges as text.

    Raises UsageError for a field that cannot be searched, a range that cannot be, or a value that the Recipe refuses.

    >>> parse_axis("l2", "0,1e-4:1:log")
    Axis(name='l2', pieces=(0.0, Range(low=0.0001, high=1.0, scale='log')))
    """
    _searchable(name)
    words = option.split(",") if isinstance(option, str) else _listed(name, option)
    pieces = tuple(_piece(name, word) for word in words)
    if not pieces or len(set(pieces)) < len(pieces):
        raise UsageError(f"{_flag(name)} {_quoted(option)}: give each value once, at least one")
    if "photographs" in pieces:
        raise UsageError(f"{_flag(name)} {_quoted(option)}: photographs stands alone: it is 0.5 or 0 for all")
    return Axis(name, pieces)


def text(axis: Axis) -> str:
    """Return the option that makes this axis again, numbers by `repr`.

    >>> text(parse_axis("hidden", "128,256-128")), text(parse_axis("batch_size", "16:256:log"))
    ('128,256-128', '16:256:log')
    """
    return ",".join(_text(piece) for piece in axis.pieces)


def check_axes(axes: Sequence[Axis], recipe: Recipe) -> None:
    """Refuse an axis that no model, optimizer, schedule or initializer has that is chosen or searched, and one twice.

    recipe: what the sweep does not vary. Raises UsageError.
    """
    searched = {axis.name: axis.pieces for axis in axes}
    if len(searched) < len(axes):
        twice = next(axis.name for i, axis in enumerate(axes) if axis.name in [other.name for other in axes[:i]])
        raise UsageError(f"{_flag(twice)} was given twice: separate its values by commas")
    for name, owner in OWNERS.items():
        chosen = searched.get(owner.field, (getattr(recipe, owner.field),))
        if name in searched and set(chosen) <= set(owner.lacking):
            raise UsageError(
                f"{_flag(name)} has no effect with the {owner.field} {' or '.join(chosen)}: "
                f"leave it out, or choose {_flag(owner.field)} {' or '.join(owner.having)}"
            )
        if getattr(recipe, name) is True and (idle := [word for word in chosen if word in owner.lacking]):
            raise UsageError(
                f"{name}: belongs to the {owner.field} {' or '.join(owner.having)}; search it, or leave "
                f"{' and '.join(idle)} out of {_flag(owner.field)}"
            )
    if recipe.features != "pixels" and "flip" in searched:
        raise UsageError(f"flip: mirrors pixels; it does not go with the features {recipe.features}")


def place(axis: Axis, u: float) -> Any:
    """Return the value at u in [0, 1).

    >>> place(parse_axis("l2", "0,1e-4:1:log"), 0.25), place(parse_axis("l2", "0,1e-4:1:log"), 0.75)
    (0.0, 0.01)
    """
    scaled = u * len(axis.pieces)
    index = min(int(scaled), len(axis.pieces) - 1)
    piece = axis.pieces[index]
    return at(piece, scaled - index) if isinstance(piece, Range) else piece


def at(span: Range, share: float) -> float:
    """Return a range's number at a share in [0, 1] of its length on its own scale; every whole number has its share.

    >>> at(Range(1e-4, 1.0, "log"), 0.5), at(Range(1, 3, "int"), 0.99)
    (0.01, 3)
    """
    low, high = _ends(span)
    if span.scale == "log":
        value = math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
    else:
        value = low + share * (high - low)
    if _whole(span):
        value = math.floor(value + 0.5)
    # The last digit of an exponential is noise: without it 0.01 is 0.01.
    return type(span.low)(min(max(float(f"{value:.15g}"), span.low), span.high))


def position(span: Range, value: float) -> float:
    """Return share of a range's length, on its own scale, at which a number lies: 0 at its low end, 1 at its high one.

    >>> position(Range(1e-4, 1.0, "log"), 0.01)
    0.5
    """
    if span.scale == "log":
        return math.log(value / span.low) / math.log(span.high / span.low)
    return (value - span.low) / (span.high - span.low)


def fitting_piece(axis: Axis, value: Any) -> Any:
    """Return the piece that a value belongs to: that very value, else the first range that holds it, else None."""
    ranges = [piece for piece in axis.pieces if isinstance(piece, Range)]
    inside = (span for span in ranges if span.low <= value <= span.high)
    return value if value in axis.pieces else next(inside, None)


def allowed(name: str, value: Any) -> bool:
    """Say if the Recipe takes a value."""
    try:
        recipe({name: value}, alone=True)
    except UsageError:
        return False
    return True


def _searchable(name: str) -> None:
    if name in KNOWN:
        return
    if name in Recipe.model_fields:
        raise UsageError(f"{_flag(name)} takes one value in a sweep; these can be searched: {', '.join(KNOWN)}")
    raise UsageError(f"unknown axis {name!r}: {nearest(name, KNOWN)}")


def _listed(name: str, option: Any) -> Sequence[Any]:
    """Return pieces given from Python; a plain list of widths is one shape of hidden layers."""
    option = option.tolist() if hasattr(option, "tolist") else option
    if not isinstance(option, list | tuple):
        return [option]
    shape = name == "hidden" and not any(isinstance(item, list | tuple | str) for item in option)
    return [option] if shape and option else option


def _piece(name: str, word: Any) -> Any:
    if isinstance(word, Range):
        word = _text(word)
    if isinstance(word, str) and ":" in word:
        return _range(name, word.strip())
    if isinstance(word, str) and not word.strip():
        raise UsageError(f"{_flag(name)}: there is no value between two commas; give a value or a range")
    return _value(name, parse(name, word.strip()) if isinstance(word, str) else word)


def _value(name: str, value: Any) -> Any:
    """Return the value as the Recipe holds it."""
    return getattr(recipe({name: value}, alone=True), name)


def _range(name: str, word: str) -> Range:
    kind, where = type(Recipe.model_fields[name].default), f"{_flag(name)} {word}"
    if kind not in (int, float):
        raise UsageError(f"{where}: only numbers can have a range; give the values, separated by commas")
    low, high, scale = _parts(where, word, "int" if kind is int else "linear")
    if low >= high:
        example = "exceeds its high end" if low > high else "is its high end"
        cure = f"{_text(high)}:{_text(low)}" if low > high else _text(low)
        raise UsageError(f"{where}: the low end of the range {example}; write {cure}")
    if scale == "log" and low <= 0:
        raise UsageError(
            f"{where}: a log range must start above zero; give 0 as a separate value, like 0,{_text(high / 1e4)}:…:log"
        )
    if scale == "int" and not (low.is_integer() and high.is_integer()):
        raise UsageError(f"{where}: both ends of a range of whole numbers must be whole")
    return Range(_value(name, low), _value(name, high), scale)


def _parts(where: str, word: str, scale: str) -> tuple[float, float, str]:
    """Return ends and scale of a range's text; scale: what it is without a word."""
    ends, given = word.split(":")[:2], word.split(":")[2:] or [scale]
    try:
        low, high = (float(end) for end in ends)
        right = given in (["log"], ["int"], [scale]) and math.isfinite(low) and math.isfinite(high)
    except ValueError:
        right = False
    if not right:
        raise UsageError(f"{where}: a range is low:high, low:high:log or low:high:int, like 1e-4:1e-1:log")
    return low, high, given[0]


def _ends(span: Range) -> tuple[float, float]:
    """Return ends between which to draw: half a unit more for whole numbers, so that the ends have their share."""
    return (span.low - 0.5, span.high + 0.5) if _whole(span) else (span.low, span.high)


def _whole(span: Range) -> bool:
    return span.scale == "int" or isinstance(span.low, int)


def _text(piece: Any) -> str:
    if isinstance(piece, Range):
        return f"{piece.low!r}:{piece.high!r}" + (f":{piece.scale}" if piece.scale != "linear" else "")
    if isinstance(piece, bool):
        return str(piece).lower()
    if isinstance(piece, tuple):
        return "-".join(map(str, piece))
    return piece if isinstance(piece, str) else repr(piece)


def _quoted(option: Any) -> str:
    return option if isinstance(option, str) else repr(option)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
