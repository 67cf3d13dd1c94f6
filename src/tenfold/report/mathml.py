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
_TOKEN = re.compile(
    r"\\(?:text|textrm|textit|textbf|mathrm|mathit|mathbf|mathsf|operatorname)\*?\{[^{}\\]*\}|"
    r"\\(?:[a-zA-Z]+|.)|\d+(?:\.\d+)?(?:e-?\d+)?|\S"
)
_LETTERS = (
    "alpha α beta β gamma γ delta δ epsilon ε eta η theta θ lambda λ mu μ sigma σ phi ϕ omega ω Sigma Σ Delta Δ "
    "partial ∂ infty ∞ ell ℓ nabla ∇"
)
_SIGNS = (
    "cdot · times × div ÷ leftarrow ← gets ← to → rightarrow → mapsto ↦ le ≤ leq ≤ ge ≥ geq ≥ ne ≠ neq ≠ approx ≈ in ∈ "
    "pm ± mp ∓ sum ∑ prod ∏ ldots … dots … cdots ⋯ mid | { { } } lbrace { rbrace } | ‖ lVert ‖ rVert ‖ prime ′ odot ⊙ "
    "% % # # & & _ _"
)
_NAMES, _OPERATORS = (dict(re.findall(r"(\S+) (\S+)", pairs)) for pairs in (_LETTERS, _SIGNS))
_WORDS = ("max", "min", "log", "ln", "exp", "tanh", "arg", "sgn")
_SPACES = {",": ".17em", ":": ".22em", ";": ".28em", " ": ".25em", "!": "-.17em", "quad": "1em", "qquad": "2em"}
_ACCENTS = {"hat": "^", "widehat": "^", "bar": "¯", "overline": "¯", "tilde": "~", "dot": "˙"}
_FRACTIONS = ("frac", "tfrac", "dfrac")
# What only tells a size, which the browser finds by itself.
_IGNORED = ("displaystyle", "textstyle", "limits", "nolimits", "big", "bigl", "bigr", "Big", "Bigl", "Bigr")
_SUMS = {Markup(f"<mo>{sign}</mo>"): sign for sign in "+−"}
_OPEN, _CLOSE = frozenset("([⟨"), frozenset(")]⟩")


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
    if sign in _OPEN or sign in _CLOSE or sign in "|‖":
        return _Atom(_tag("mo", sign, attributes=' stretchy="false"'), sign not in _OPEN)
    return _Atom(_tag("mo", sign.replace("-", "−")), sign in "!′")


def _command(name: str, tokens: deque[str], operand: bool, depth: int) -> _Atom:
    if "{" in name and name[-1] == "}":
        command, _, text = name[:-1].partition("{")
        return _words(command, text, tokens)
    if name in _FRACTIONS:
        return _Atom(_tag("mfrac", _group(tokens, depth), _group(tokens, depth)))
    if name == "sqrt":
        return _Atom(_tag("msqrt", _group(tokens, depth)))
    if name in _ACCENTS:
        accent = _tag("mo", _ACCENTS[name], attributes=' stretchy="false"')
        return _Atom(_tag("mover", _group(tokens, depth), accent, attributes=' accent="true"'))
    if name == "left":
        return _fenced(tokens, depth)
    if name in _SPACES:
        return _Atom(_tag("mspace", attributes=f' width="{_SPACES[name]}"'), operand)
    if name in _WORDS:
        return _words("operatorname", name, tokens)
    if name in _NAMES:
        return _Atom(_tag("mi", _NAMES[name]))
    return _Atom(Markup(), operand) if name in _IGNORED else _sign(_OPERATORS[name], operand)


def _words(command: str, text: str, tokens: deque[str]) -> _Atom:
    """Upright words; what a function is applied to without parentheses stands apart from its name."""
    if command.startswith("text"):
        return _Atom(_tag("mtext", text.replace(" ", "\N{NO-BREAK SPACE}")))
    shown = _tag("mi", text, attributes=' mathvariant="normal"' if len(text) == 1 else "")
    apart = command.startswith("operatorname") and tokens and tokens[0] not in ("(", "\\left", "^", "_", "'", "}", ")")
    return _Atom(shown + _tag("mspace", attributes=' width=".17em"') if apart else shown, not apart)


def _fenced(tokens: deque[str], depth: int) -> _Atom:
    r"""From \left to \right: fences as high as what stands between them."""
    first = _fence(tokens)
    inside = _row(tokens, "\\right", depth + 1)
    return _Atom(_tag("mrow", first, inside, _fence(tokens)))


def _fence(tokens: deque[str]) -> Markup:
    token = tokens.popleft()
    return Markup() if token == "." else _tag("mo", _OPERATORS[token[1:]] if token[0] == "\\" else token)


def _scripted(base: Markup, tokens: deque[str], depth: int) -> Markup:
    """The atom with what stands below and above it, primes included."""
    found: dict[str, Markup] = {}
    while tokens and tokens[0] in ("^", "_", "'", "′"):
        where = tokens.popleft()
        if where in "'′":
            found["^"] = found.get("^", Markup()) + _tag("mo", "′")
        else:
            found[where] = found.get(where, Markup()) + _group(tokens, depth)
    rows = {where: inside if _is_one(inside) else _tag("mrow", inside) for where, inside in found.items()}
    kinds = {"_": "msub", "^": "msup", "_^": "msubsup"}
    return (
        _tag(kinds["".join(sorted(rows, reverse=True))], base, *(rows[k] for k in "_^" if k in rows)) if rows else base
    )
