"""Statements about a maximum margin, read from a TOML file; the files that come with Tenfold have a name.

points = "1,0:+ 0,1:+ 1,1:- 2,0:-"      and, where they are part of it, given = "w=-2,0; b=5", predict = "1,3"

[[reported]]                              a statement each, with one key of KINDS, and
w = ["-2", "-2"]                          at = "2,0": the point that it is about
note = "what is worth knowing"            alone = true: found from the other points, without this one

Equations are linear in w1, …, wD and b, as people write them: "-2w1 + b = -1", "−(2w₁ + b) = 1".
"""

__all__ = ["Equation", "Sheet", "Statement", "constraint", "read_equation", "read_sheet", "shipped", "stated_equation"]

import re
import tomllib
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from tenfold.errors import UsageError, blamed, nearest
from tenfold.report.printed import exactly
from tenfold.teach.margin.phrases import equated, shown
from tenfold.teach.margin.rows import SHOWN, there

NUMBERS = ("b", "norm", "margin", "width", "objective", "value")
LISTS = ("w", "multipliers")
EXAMPLES = {"class": '"+"', "support": '"1,0 0,1", or "all"', "equation": '"2w1 + b = -1"'}
KINDS = (*NUMBERS, *LISTS, *EXAMPLES)
"""w, b; norm ‖w‖; margin 1/‖w‖; width 2/‖w‖; objective ½‖w‖²; multipliers of all points in their order; value w·x + b
and class at a point; support: the points that are support vectors, or "all"; equation: linear in w1, w2, …, b."""
PLACED = ("value", "class")
HEAD = ("title", "report", "points", "given", "predict", "notes", "reported")
BESIDE = ("at", "note", "alone")
BYTES_CAP = 2**20
LONGEST, DIGITS = 1000, 60  # letters of an equation, and digits of its numbers
_NAME = r"w\d+|b|\[\d+\]"
_TERM = re.compile(rf"([+-]?)(\d*(?:\.\d*)?(?:/\d+)?)((?:{_NAME})*)")
_INNERMOST = re.compile(r"\(([^()]*)\)")
_PLAIN = str.maketrans("₀₁₂₃₄₅₆₇₈₉−–[]{}", "0123456789--()()", " *·_\t")
_LOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


class Statement(NamedTuple):
    """A number or claim. printed: one text or, for w and multipliers, one for each number. at: a point, "" for none."""

    kind: str
    printed: tuple[str, ...]
    at: str = ""
    note: str = ""
    alone: bool = False


class Sheet(NamedTuple):
    """A file of statements. points, given, predict: as typed on the command line, "" where the file has none."""

    name: str
    title: str
    report: str
    points: str
    given: str
    predict: str
    notes: tuple[str, ...]
    statements: tuple[Statement, ...]


class Equation(NamedTuple):
    """Σ factors · names = right; names are "w1", …, "wD", "b", and only those with a factor."""

    factors: dict[str, Fraction]
    right: Fraction

    def sizes(self) -> "Equation":
        """Return the same numbers without their signs."""
        return Equation({name: abs(factor) for name, factor in self.factors.items()}, abs(self.right))

    def normal(self) -> "Equation":
        """Scale it so that its first factor is 1: multiples of each other become equal."""
        first = next(iter(self.factors.values()), Fraction(1))
        return Equation({name: factor / first for name, factor in self.factors.items()}, self.right / first)

    def less(self, other: "Equation") -> "Equation":
        """Subtract another one, side by side."""
        names = dict.fromkeys((*self.factors, *other.factors))
        left = {name: self.factors.get(name, Fraction()) - other.factors.get(name, Fraction()) for name in names}
        return Equation({name: factor for name, factor in left.items() if factor}, self.right - other.right)


def shipped() -> dict[str, Path]:
    """Return the sheets that come with the package, by name."""
    return {path.stem: path for path in sorted((Path(__file__).parent.parent / "worked").glob("maximum-margin*.toml"))}


def read_sheet(name: str) -> Sheet:
    """Read a sheet by its name, or from a file. Raises a UsageError in one line where it cannot be one."""
    path, kind = there(str(shipped().get(name, name)))
    if kind != "file":
        close = nearest(name[:SHOWN], shipped())
        raise UsageError(f"{name[:SHOWN]!r} is no sheet of reported numbers and no file: {close}")
    with blamed(str(path)):
        try:
            if path.stat().st_size > BYTES_CAP:
                raise UsageError(f"at most {BYTES_CAP:,} bytes are read")
            return _sheet(path.stem, tomllib.loads(path.read_text(encoding="utf-8")))
        except (ValueError, RecursionError, OSError) as error:
            raise UsageError(f"not a readable TOML file ({error})") from None


def _sheet(name: str, given: Mapping[str, Any]) -> Sheet:
    _check_keys(given, HEAD, "")
    texts = {key: _text(given.get(key, ""), key) for key in ("title", "report", "points", "given", "predict")}
    notes, entries = given.get("notes", []), given.get("reported", [])
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        raise UsageError('notes: expected a list of texts, such as ["the first two points are positive"]')
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UsageError("reported: expected tables, each below a line [[reported]]")
    statements = tuple(_statement(entry, f"reported {number}") for number, entry in enumerate(entries, 1))
    return Sheet(name=name, notes=tuple(notes), statements=statements, **texts)


def _statement(entry: Mapping[str, Any], where: str) -> Statement:
    _check_keys(entry, (*KINDS, *BESIDE), f"{where}: ")
    kinds = [kind for kind in KINDS if kind in entry]
    if len(kinds) != 1:
        present = " and ".join(kinds) or "none of them"
        raise UsageError(f"{where}: expected one of {', '.join(KINDS)}; found {present}")
    kind, alone = kinds[0], entry.get("alone", False)
    place, note = (_text(entry.get(key, ""), f"{where}, {key}") for key in ("at", "note"))
    if not isinstance(alone, bool):
        raise UsageError(f"{where}: alone is true or false")
    if (kind in PLACED or alone) and not place:
        raise UsageError(f'{where}: {"alone" if alone else kind} needs its point: at = "1,3"')
    return Statement(kind, _printed(entry[kind], kind, f"{where}, {kind}"), place, note, alone)


def _printed(value: Any, kind: str, where: str) -> tuple[str, ...]:
    """Return numbers as they were printed, as texts, for a float would lose the digits that were written."""
    texts = value if isinstance(value, list) and kind in LISTS else [value]
    if kind in LISTS and isinstance(value, str):
        texts = value.strip("()[] ").split(",")
    numeric = kind not in EXAMPLES
    if not texts or not all(isinstance(text, str) or (numeric and type(text) is int) for text in texts):
        example = '["-2", "0.5"]' if kind in LISTS else EXAMPLES.get(kind, '"0.354"')
        raise UsageError(f"{where}: expected what was printed, in quotes, such as {example}")
    printed = tuple(str(text).strip() for text in texts)
    with blamed(where):
        for text in printed if numeric else ():
            exactly(text)
        if kind == "equation":
            read_equation(printed[0])
    return printed


def _check_keys(table: Mapping[str, Any], keys: Sequence[str], where: str) -> None:
    for key in table:
        if key not in keys:
            raise UsageError(f"{where}unknown key {key!r}: {nearest(key, keys)}")


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{where}: expected a text in quotes")
    return value


def read_equation(text: str) -> Equation:
    """Read an equation: unknowns to its left, the number to its right. Raises UsageError for anything else.

    >>> read_equation("−2w₁ + b = −1")
    Equation(factors={'w1': Fraction(-2, 1), 'b': Fraction(1, 1)}, right=Fraction(-1, 1))
    """
    ascii_text = text.translate(_PLAIN)
    left, equals, right = ascii_text.partition("=")
    if not equals or "=" in right or not left or not right or len(ascii_text) > LONGEST:
        raise UsageError(f'{text[:60]!r}: expected one equation such as "2w1 + b = -1"')
    factors = _side(left, text)
    for name, size in _side(right, text).items():
        factors[name] = factors.get(name, Fraction()) - size
    number = -factors.pop("", Fraction())
    ordered = sorted(factors, key=lambda name: (name == "b", int(name[1:] or 0)))
    return Equation({name: factors[name] for name in ordered if factors[name]}, number)


def constraint(x: Sequence[Fraction], sign: int) -> Equation:
    """Return what a point on the margin says: w·x + b = ±1."""
    factors = {f"w{k}": number for k, number in enumerate(x, 1) if number}
    return Equation(factors | {"b": Fraction(1)}, Fraction(sign))


def stated_equation(equation: Equation) -> str:
    """Write an equation as one would by hand.

    >>> stated_equation(constraint([Fraction(2), Fraction(-1)], -1))
    '2w₁ − w₂ + b = −1'
    """
    terms = []
    for name, factor in equation.factors.items():
        size = "" if abs(factor) == 1 else shown(abs(factor))
        terms.append(f"{'−' if factor < 0 else '+'} {size}{name.translate(_LOW)}")
    left = " ".join(terms).removeprefix("+ ") or "0"
    return equated(left.replace("− ", "−", 1) if left[0] == "−" else left, equation.right)


def _side(side: str, text: str) -> dict[str, Fraction]:
    """Sum the factors by name, "" for what is no unknown; parentheses are opened from the innermost on."""
    inner: list[dict[str, Fraction]] = []
    while pair := _INNERMOST.search(side):
        inner.append(_sum(pair[1], text, inner))
        side = f"{side[: pair.start()]}[{len(inner) - 1}]{side[pair.end() :]}"
    if stray := {"(", ")"} & set(side):
        raise UsageError(f"{text[:60]!r}: a {stray.pop()!r} has no counterpart on its side of the equation")
    return _sum(side, text, inner)


def _sum(side: str, text: str, inner: Sequence[Mapping[str, Fraction]]) -> dict[str, Fraction]:
    """Sum the terms of a side without parentheses; [k]: what is inside of the k-th."""
    factors, place = dict[str, Fraction](), 0
    while place < len(side) or not side:
        term = _TERM.match(side, place)
        if not term or not term[0].strip("+-") or (place and not term[1]):
            seen = re.sub(r"\[\d+\]", "(…)", side[place:])[:12]
            raise UsageError(f'{text[:60]!r}: cannot be read at {seen!r}; expected "2w1 + b = -1"')
        product = {"": exactly(term[2]) if term[2] else Fraction(1)}
        for name in re.findall(_NAME, term[3]):
            other = inner[int(name[1:-1])] if name[0] == "[" else {name: Fraction(1)}
            if any(product.keys() - {""}) and any(other.keys() - {""}):
                raise UsageError(f"{text[:60]!r}: multiplies unknowns with each other; expected a linear equation")
            product = {m + n: p * q for m, p in product.items() for n, q in other.items()}
        for name, size in product.items():
            factors[name] = factors.get(name, Fraction()) + (-size if term[1] == "-" else size)
        place = term.end()
    if any(abs(size) >= 10**DIGITS for size in factors.values()):
        raise UsageError(f"{text[:60]!r}: its numbers are too large: at most {DIGITS} digits")
    return {name: size for name, size in factors.items() if size}
