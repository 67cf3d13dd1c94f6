r"""Formulas as the browser's own mathematics: MathML from the part of LaTeX in which worked lines are written.

    \frac{\partial L}{\partial w_{1}}   →   <mfrac><mrow>…</mrow><mrow>…</mrow></mfrac>

What is not of that part gives "": whoever asked shows the formula's plain text instead.
"""

__all__ = ["mathml"]

import re
from collections import deque
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from markupsafe import Markup

DEEP, LONG, WIDE = 40, 20_000, 70
# Words in a group, a command, a number, or one character.
_TOKEN = re.compile(r"\\text\{[^{}\\]*\}|\\(?:[a-zA-Z]+|.)|\d+(?:\.\d+)?(?:e-?\d+)?|\S")
_NAMES = {"eta": "η", "partial": "∂", "sigma": "σ"}
_WORDS = ("exp", "ln", "max", "tanh")
_FRACTIONS = ("frac", "tfrac")
_SUMS = {Markup(f"<mo>{sign}</mo>"): sign for sign in "+−"}
_OPEN, _CLOSE = frozenset("(["), frozenset(")]")


class _Atom(NamedTuple):
    """A piece of a row; operand: whether a minus after it subtracts, rather than being a sign."""

    markup: Markup
    operand: bool = True


@lru_cache(maxsize=20_000)
def mathml(latex: str) -> Markup:
    """The formula as a <math> element, "" where it holds what this knows nothing of.

    >>> mathml("w_{1}")
    Markup('<math><msub><mi>w</mi><mn>1</mn></msub></math>')
    >>> mathml(r"\\begin{matrix}")
    Markup('')
    """
    if len(latex) > LONG:
        return Markup()
    try:
        atoms = _atoms(deque(_TOKEN.findall(latex)), "", 0)
    except LookupError:  # an unknown command, or an end before its time
        return Markup()
    # Browsers break no line inside <math>: a long sum becomes one for each summand.
    starts = [k for k, atom in enumerate(atoms) if atom in _SUMS] if len(latex) > WIDE else []
    for k in starts:
        atoms[k] = _tag("mo", _SUMS[atoms[k]], attributes=' form="infix"')
    pieces = [atoms[a:b] for a, b in pairwise([0, *starts, len(atoms)]) if a < b]
    return Markup("<wbr>").join(_tag("math", *piece) for piece in pieces)


def _tag(name: str, *inside: str, attributes: str = "") -> Markup:
    return Markup("<{0}{1}>{2}</{0}>").format(name, Markup(attributes), Markup().join(inside))


def _row(tokens: deque[str], end: str, depth: int) -> Markup:
    return Markup().join(_atoms(tokens, end, depth))


def _atoms(tokens: deque[str], end: str, depth: int) -> list[Markup]:
    """What stands before the end, which is taken, too."""
    if depth > DEEP:
        raise LookupError
    parts, operand = [], False
    while tokens and tokens[0] != end:
        atom = _atom(tokens, operand, depth)
        parts.append(_scripted(atom.markup, tokens, depth))
        operand = atom.operand
    if end:
        tokens.popleft()
    return parts


def _group(tokens: deque[str], depth: int) -> Markup:
    """An argument: a group in braces, or one atom."""
    return _atom(tokens, False, depth + 1).markup


def _atom(tokens: deque[str], operand: bool, depth: int) -> _Atom:
    token = tokens.popleft()
    if token == "{":
        inside = _row(tokens, "}", depth + 1)
        return _Atom(inside if _is_one(inside) else _tag("mrow", inside))
    if token.startswith("\\"):
        return _command(token[1:], tokens, operand, depth)
    if token[0].isdigit():
        return _Atom(_tag("mn", token.replace("-", "−")))
    if token.isalpha():
        return _Atom(_tag("mi", token))
    if token in "}&^_$%#~":
        raise LookupError
    return _sign(token, operand)


def _is_one(markup: str) -> bool:
    """Whether this is a single leaf, which needs no row around it."""
    return bool(re.fullmatch(r"<(m[ino])(?: [^<>]*)?>[^<]*</\1>", markup))


def _sign(sign: str, operand: bool) -> _Atom:
    """An operator; a minus that subtracts from nothing is a sign and stands close to its number."""
    if sign in "-−+" and not operand:
        return _Atom(_tag("mo", sign.replace("-", "−"), attributes=' form="prefix"'), False)
    if sign in _OPEN or sign in _CLOSE:
        return _Atom(_tag("mo", sign, attributes=' stretchy="false"'), sign not in _OPEN)
    return _Atom(_tag("mo", sign.replace("-", "−")), False)


def _command(name: str, tokens: deque[str], operand: bool, depth: int) -> _Atom:
    if name.startswith("text{"):
        words = name[len("text{") : -1].replace(" ", "\N{NO-BREAK SPACE}")
        return _Atom(_tag("mtext", words))
    if name in _FRACTIONS:
        return _Atom(_tag("mfrac", _group(tokens, depth), _group(tokens, depth)))
    if name == "hat":
        accent = _tag("mo", "^", attributes=' stretchy="false"')
        return _Atom(_tag("mover", _group(tokens, depth), accent, attributes=' accent="true"'))
    if name == "left":
        return _fenced(tokens, depth)
    if name in _WORDS:
        return _Atom(_tag("mi", name), False)
    return _sign("·", operand) if name == "cdot" else _Atom(_tag("mi", _NAMES[name]))


def _fenced(tokens: deque[str], depth: int) -> _Atom:
    r"""From \left to \right: fences as high as what stands between them."""
    first = _fence(tokens)
    inside = _row(tokens, "\\right", depth + 1)
    return _Atom(_tag("mrow", first, inside, _fence(tokens)))


def _fence(tokens: deque[str]) -> Markup:
    token = tokens.popleft()
    if token[0] == "\\":
        raise LookupError
    return _tag("mo", token)


def _scripted(base: Markup, tokens: deque[str], depth: int) -> Markup:
    """The atom with what stands below and above it."""
    found: dict[str, Markup] = {}
    while tokens and tokens[0] in ("^", "_"):
        where = tokens.popleft()
        found[where] = found.get(where, Markup()) + _group(tokens, depth)
    rows = {where: inside if _is_one(inside) else _tag("mrow", inside) for where, inside in found.items()}
    kinds = {"_": "msub", "^": "msup", "_^": "msubsup"}
    return (
        _tag(kinds["".join(sorted(rows, reverse=True))], base, *(rows[k] for k in "_^" if k in rows)) if rows else base
    )
