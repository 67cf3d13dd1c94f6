"""Numbers and names as the page says them: text from outside becomes one line of visible characters."""

__all__ = [
    "count",
    "duration",
    "interval",
    "label",
    "number",
    "percent",
    "rounded",
    "setting",
    "settings",
    "shown",
    "size_of",
]

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tenfold.report.figures import plain

ABSENT = "–"


def number(value: float | None, form: str) -> str:
    """A number in a format, or a dash where there is none.

    >>> number(0.12345, ".3f"), number(None, ".3f")
    ('0.123', '–')
    """
    return format(value, form) if value is not None and math.isfinite(value) else ABSENT


def percent(share: float | None) -> str:
    """A share in percent, to two digits behind the point, without its sign."""
    return number(None if share is None else 100 * share, ".2f")


def rounded(value: float | None) -> str:
    """A measure between 0 and 1, to three digits."""
    return number(value, ".3f")


def interval(bounds: Sequence[float] | None, scale: float = 100, form: str = ".2f") -> str:
    """Both ends, in percent if nothing else is asked.

    >>> interval([0.59034, 0.60949])
    '59.03 to 60.95'
    """
    return f"{number(scale * bounds[0], form)} to {number(scale * bounds[1], form)}" if bounds else ABSENT


def count(n: float | None, noun: str = "") -> str:
    """A whole number with its thousands apart, and what is counted.

    >>> count(10000, "image"), count(1, "image")
    ('10,000 images', '1 image')
    """
    told = number(n, ",.0f")
    return f"{told} {noun}{'s' * (n != 1)}" if noun else told


def duration(seconds: float | None) -> str:
    """A time as one says it.

    >>> duration(0.42), duration(75), duration(4000)
    ('0.4 s', '1 min 15 s', '1 h 06 min')
    """
    if seconds is None or not math.isfinite(seconds):
        return ABSENT
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def setting(value: object) -> str:
    """The value of a setting as one would type it.

    >>> setting(0.003), setting([512, 256]), setting(False)
    ('0.003', '512, 256', 'no')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(setting, value)) or ABSENT
    return ABSENT if value is None or value == "" else label(str(value))


def settings(chosen: Mapping[str, Any]) -> str:
    """Settings in one line, names as words.

    >>> settings({"learning_rate": 0.1, "l2": 0.0})
    'learning rate 0.1, l2 0'
    """
    return ", ".join(f"{name.replace('_', ' ')} {setting(value)}" for name, value in chosen.items()) or ABSENT


def size_of(number_of_bytes: int) -> str:
    """A file's size.

    >>> size_of(80320), size_of(6_829_000)
    ('78 KiB', '6.5 MiB')
    """
    return f"{number_of_bytes / 2**10:.0f} KiB" if number_of_bytes < 2**20 else f"{number_of_bytes / 2**20:.1f} MiB"


def label(name: str, limit: int = 80) -> str:
    """A name from outside, visible and not endless."""
    return plain(name, limit)


def shown(text: str) -> str:
    """A path with all that is not printable escaped, so that different files stay different.

    >>> shown("cat\\x1b[2J\\n.png")
    'cat\\\\x1b[2J\\\\n.png'
    """
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
