"""Text from outside made harmless, and numbers made readable: the one home of escaping and of number formats."""

__all__ = [
    "ABSENT",
    "cell",
    "count",
    "duration",
    "finite",
    "in_script",
    "inert",
    "interval",
    "label",
    "latex",
    "left_out",
    "markdown",
    "metric_name",
    "number",
    "p_value",
    "percent",
    "rounded",
    "score",
    "score_interval",
    "setting",
    "settings",
    "short",
    "signed",
    "size_of",
    "slug",
    "toml",
    "unequal",
    "visible",
]

import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeGuard

ABSENT = "–"
# Marks that Markdown, its tables or its mathematics act on; marks that act at the start of a line; parts of addresses.
_MARKS = re.compile(r"([\\`*_\[\]<>|~$#&^{}\"])")
_BLOCK = re.compile(r"^(\d*)([-+.)](?=\s|$)|[-=](?=[-=\s]*$))")
_ADDRESS = re.compile(r":(?=//)|(?<=www)\.")
# What a formula begins with in a spreadsheet, in full width too, and the numbers that may begin so.
_FORMULA = frozenset("=+-@\t\r＝＋－＠")
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?", re.ASCII)
# How to write what LaTeX would take for something else.
_LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}"}
_LATEX |= {">": r"\textgreater{}", "|": r"\textbar{}", '"': "{''}"}
_LATEX |= {"[": "{[}", "]": "{]}"} | {letter: f"\\{letter}" for letter in "#$%&_{}"}
_LATEX |= {"ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "ø": r"\o{}", "Ø": r"\O{}", "ł": r"\l{}", "Ł": r"\L{}"}
_LATEX |= {"œ": r"\oe{}", "Œ": r"\OE{}", "–": "--", "—": "---", "…": r"\ldots{}", "’": "{'}", "‘": "{`}"}
_LATEX |= {"“": "``", "”": "''", "§": r"\S{}", "°": r"$^{\circ}$", "\u00a0": "~", "ŷ": r"$\hat{y}$"}
_LATEX_SIGNS = (
    r"∂ \partial η \eta σ \sigma − - · \cdot × \times ½ \tfrac{1}{2} ← \leftarrow → \rightarrow ≤ \le ≥ \ge ≠ \ne "
    r"≈ \approx Σ \Sigma ∑ \sum λ \lambda α \alpha β \beta ε \varepsilon θ \theta μ \mu ∞ \infty ± \pm ′ {}'"
)
_LATEX |= {sign: f"${command}$" for sign, command in re.findall(r"(\S) (\S+)", _LATEX_SIGNS)}
_COMBINING = "\u0300\u0301\u0302\u0303\u0308\u0327\u030c\u030a\u0304\u0306\u0307\u030b"
_ACCENTS = dict(zip(_COMBINING, "`'^~\"cvr=u.H", strict=True))
_LIGATED = "-,'`?!"  # two of these in a row may become another sign
_LOWERED, _RAISED = "₀₁₂₃₄₅₆₇₈₉", "⁰¹²³⁴⁵⁶⁷⁸⁹"
# Characters that could end a script element or a line inside one.
_SCRIPT = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}


def inert(text: str) -> str:
    """Return the text as one line that cannot steer a terminal: no controls, direction overrides or lone surrogates.

    >>> inert("cat\\x1b[2J\\n\\u202edog")
    'cat[2J dog'
    """
    return "".join(letter for letter in " ".join(text.split()) if unicodedata.category(letter)[0] != "C")


def visible(text: str) -> str:
    """Escape every character that is not printable, so that different names stay different.

    >>> visible("cat\\x1b[2J\\n.png")
    'cat\\\\x1b[2J\\\\n.png'
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def label(text: str, limit: int = 80) -> str:
    """Return a name from outside as one inert line of at most `limit` characters; "?" where nothing is left of it.

    >>> label("a\\tvery \\x1b[31mlong\\u202e name", limit=16)
    'a very [31… name'
    """
    line = inert(text) or "?"
    # Cut in the middle: names of a family often differ only at their end.
    tail = (limit - 1) // 3
    return line if len(line) <= limit else f"{line[: limit - 1 - tail]}…{line[-tail:]}"


def short(name: str) -> str:
    """Return a name from outside, short enough for a column or a legend.

    >>> short("a name that is much too long for a column")
    'a name that is m… column'
    """
    return label(name, 24)


def markdown(text: str) -> str:
    """Escape a text for Markdown: one inert line on which neither Markdown, nor HTML, nor an automatic link acts.

    >>> print(markdown("cat|<b>\\n[x](y)"))
    cat\\|\\<b\\> \\[x\\](y)
    """
    escaped = _BLOCK.sub(r"\1\\\2", _MARKS.sub(r"\\\1", inert(text)))
    return _ADDRESS.sub(r"\\\g<0>", escaped).replace("@", "&#64;")


def latex(text: str) -> str:
    r"""Return text that LaTeX sets as it stands, with any engine; a letter that it has no name for by its code point.

    >>> print(latex("50 % of w₁₂ is ŷ_1 \\ é 中"))
    50 \% of w$_{12}$ is $\hat{y}$\_1 \textbackslash{} \'{e} {[}U+4E2D{]}
    """
    joined = re.sub(r"\s+", " ", unicodedata.normalize("NFC", text))
    return "".join(map(_latex_piece, re.findall(f"[{_LOWERED}]+|[{_RAISED}]+|[{_LIGATED}]+|.", joined)))


def _latex_piece(letters: str) -> str:
    if letters in _LATEX:
        return _LATEX[letters]
    if letters[0] in _LIGATED:
        return "{}".join(letters)
    plain = unicodedata.normalize("NFKC", letters)
    if letters[0] in _LOWERED + _RAISED:
        return f"${'_' if letters[0] in _LOWERED else '^'}{{{plain}}}$"
    if letters.isascii() and letters.isprintable():
        return letters
    base, *marks = list(unicodedata.normalize("NFD", letters))
    if base.isascii() and base.isalpha() and len(marks) == 1 and marks[0] in _ACCENTS:
        return f"\\{_ACCENTS[marks[0]]}{{{base}}}"
    if "CIRCLED" in unicodedata.name(letters, "") and plain.isdecimal():
        return f"({plain})"
    return f"{{[}}U+{ord(letters):04X}{{]}}"


def in_script(json: str) -> str:
    """Escape JSON so that it may stand inside an HTML script element.

    >>> print(in_script('"</script>"'))
    "\\u003c/script\\u003e"
    """
    return json.translate(_SCRIPT)


def cell(text: str) -> str:
    """Return a name from outside for a cell of a CSV table, from which no spreadsheet makes a formula.

    An apostrophe goes before what one would begin with (OWASP, "CSV injection"); a plain number stays as it is.

    >>> cell("=1+1"), cell("-3.5"), cell("@sum.png"), cell("cat")
    ("'=1+1", '-3.5', "'@sum.png", 'cat')
    """
    shown = visible(text)
    return f"'{shown}" if shown.lstrip()[:1] in _FORMULA and shown and not _NUMBER.fullmatch(shown) else shown


def toml(text: str) -> str:
    """Return the text as a TOML string, with its quotes.

    >>> print(toml('a "b"\\n'))
    "a \\"b\\"\\u000a"
    """
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(f"\\u{ord(c):04x}" if ord(c) < 32 or ord(c) == 127 else c for c in quoted) + '"'


def slug(text: str) -> str:
    """Return the text as a part of a file's name: lower-case letters, digits and single dashes, at most 40 characters.

    >>> slug("My Photos (2)")
    'my-photos-2'
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40]


def finite(value: float | None) -> TypeGuard[float]:
    """Tell if a number is there and finite."""
    return value is not None and math.isfinite(value)


def number(value: float | None, form: str) -> str:
    """Return a number in a format, or a dash where there is none. A zero is never negative.

    >>> number(0.12345, ".3f"), number(-0.0001, ".2f"), number(None, ".3f")
    ('0.123', '0.00', '–')
    """
    if not finite(value):
        return ABSENT
    text = format(value, form)
    return text if any(digit in text for digit in "123456789") else format(0 * abs(value), form)


def percent(share: float | None, sign: str = "") -> str:
    """Return a share in percent with two decimals. sign: what follows the number where there is one, such as " %".

    >>> percent(0.5), percent(0.5, " %"), percent(None, " %")
    ('50.00', '50.00 %', '–')
    """
    return number(100 * share, ".2f") + sign if finite(share) else ABSENT


def signed(value: float, digits: int) -> str:
    """Return a number with so many decimals, and more where those would hide on which side of 0 it is.

    >>> signed(1.26, 1), signed(-0.04, 1), signed(0.0, 1), signed(0.00012, 2)
    ('1.3', '-0.04', '0.0', '0.0001')
    """
    while value and not any(digit in f"{value:.{digits}f}" for digit in "123456789"):
        digits += 1
    return number(value, f".{digits}f")


def rounded(value: float | None) -> str:
    """Return a measure between 0 and 1 with three decimals."""
    return number(value, ".3f")


def metric_name(metric: str) -> str:
    """Return a metric as a reader calls it.

    >>> metric_name("macro_f1"), metric_name("accuracy")
    ('macro F1', 'accuracy')
    """
    return metric.replace("_", " ").replace("f1", "F1")


def score(value: float | None, metric: str, sign: str = "") -> str:
    """Return a score as its metric is read: accuracy in percent, with `sign` after it; macro F1 with three decimals.

    >>> score(0.5, "accuracy", " %"), score(0.5, "macro_f1", " %")
    ('50.00 %', '0.500')
    """
    return rounded(value) if metric == "macro_f1" else percent(value, sign)


def interval(bounds: Sequence[float | None] | None, say: Callable[[float | None], str] = percent) -> str:
    """Return both ends of an interval, in percent unless `say` formats them otherwise.

    >>> interval([0.59034, 0.60949]), interval(None)
    ('59.03 to 60.95', '–')
    """
    return f"{say(bounds[0])} to {say(bounds[1])}" if bounds and None not in bounds else ABSENT


def score_interval(bounds: Sequence[float | None] | None, metric: str) -> str:
    """Return both ends of a score's interval, as its metric is read.

    >>> score_interval([0.5, 0.625], "macro_f1")
    '0.500 to 0.625'
    """
    return interval(bounds, lambda bound: score(bound, metric))


def count(n: float | None, noun: str = "", many: str = "") -> str:
    """Return a whole number with thousands separators, and the noun that it counts. many: an irregular plural.

    >>> count(10000, "image"), count(1, "image"), count(2, "entry", "entries")
    ('10,000 images', '1 image', '2 entries')
    """
    amount = number(n, ",.0f")
    if not noun:
        return amount
    return f"{amount} {noun if n == 1 else many or f'{noun}s'}"


def left_out(absent: int | None) -> str:
    """Say how many classes a macro average leaves out; "" where it has all.

    >>> left_out(2), left_out(0)
    ('2 classes left out that neither occur nor are predicted', '')
    """
    neither = "neither occurs nor is predicted" if absent == 1 else "neither occur nor are predicted"
    return f"{count(absent, 'class', 'classes')} left out that {neither}" if absent else ""


def unequal(images: int | None, framing: str) -> str:
    """Return what follows a size, where images of unequal sides were brought to it; "" where there were none.

    >>> unequal(3, "crop"), unequal(0, "crop")
    (', 3 images of unequal sides cropped to their center', '')
    """
    return f", {count(images, 'image')} of unequal sides {FRAMED.get(framing, framing)}" if images else ""


FRAMED = {"crop": "cropped to their center", "squash": "squashed", "letterbox": "put between grey bars"}
"""Word for a framing -> what was done to images of unequal sides."""


def duration(seconds: float | None) -> str:
    """Return a time in the units that a reader thinks in.

    >>> duration(0.42), duration(75), duration(4000)
    ('0.4 s', '1 min 15 s', '1 h 06 min')
    """
    if not finite(seconds):
        return ABSENT
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def setting(value: object, digits: int = 6, limit: int = 80, between: str = "-") -> str:
    """Return the value of a setting as a user would type it.

    digits: significant digits of a number; limit: letters of a word; between: what separates the parts of a list.

    >>> setting(1e-05), setting([512, 256]), setting(False), setting(None)
    ('1e-5', '512-256', 'no', '–')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return re.sub(r"e([-+])0*", lambda sign: f"e{sign[1].strip('+')}", f"{value:.{digits}g}")
    if isinstance(value, list | tuple):
        return between.join(setting(part, digits, limit, between) for part in value) or "none"
    return ABSENT if value is None or value == "" else label(str(value), limit)


def settings(chosen: Mapping[str, Any]) -> str:
    """Return settings in one line, their names as words.

    >>> settings({"learning_rate": 0.1, "l2": 0.0})
    'learning rate 0.1, l2 0'
    """
    return ", ".join(f"{name.replace('_', ' ')} {setting(value)}" for name, value in chosen.items()) or ABSENT


def size_of(number_of_bytes: int) -> str:
    """Return the size of a file.

    >>> size_of(80320), size_of(6_829_000)
    ('80 kB', '6.8 MB')
    """
    kilobytes = number_of_bytes / 1000
    return f"{kilobytes:.0f} kB" if kilobytes < 1000 else f"{kilobytes / 1000:.1f} MB"


def p_value(p: float | None) -> str:
    """Return a p value with two digits, and a third where two would hide its side of 0.05.

    >>> p_value(0.012345), p_value(0.0496), p_value(1e-9)
    ('0.012', '0.0496', '< 0.0001')
    """
    if not finite(p):
        return ABSENT
    if p < 0.0001:
        return "< 0.0001"
    return f"{p:.3g}" if f"{p:.2g}" == "0.05" else f"{p:.2g}"
