"""Formulas written down, as plain Unicode, LaTeX and MathML, with letters or with the numbers put in."""

__all__ = ["LATEX", "TEXT", "Written", "circled", "digits", "exact_digits", "in_all_styles", "shown", "written"]

from collections.abc import Callable
from decimal import Context, Decimal, Inexact
from fractions import Fraction
from typing import NamedTuple

from tenfold.teach.trace import expressions as tree
from tenfold.teach.trace.expressions import Expression, Symbol, Value, plain

SIGNIFICANT = 6
LONGEST = 60
EXACTLY = Context(prec=400, traps=[Inexact])  # a quotient of numbers with LONGEST digits, if it ends, has fewer
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
LOOSE, FIRM, SIGNED, WHOLE = 0, 1, 2, 3  # a sum, a product, a negative number, what needs no parentheses

Put = Callable[[Symbol], str]  # what to write for a symbol: its letters, or a number


class Style(NamedTuple):
    """How to write a formula: letters of a symbol, a number, and templates for the rest: signs, fences, functions."""

    letters: Put
    number: Callable[[str], str]
    templates: dict[str, str]


_PREFIX, _FENCED = '<mo form="prefix">−</mo>', "<mrow><mo>(</mo>{}<mo>)</mo></mrow>"
_MATHML_STEP = (
    "<mn>{1}</mn><mtext>\u00a0if\u00a0</mtext>{0}<mo>&gt;</mo><mn>0</mn><mtext>\u00a0else\u00a0</mtext><mn>{2}</mn>"
)
_TEMPLATES = {  # how each piece is written as plain text, as LaTeX and as MathML
    "plus": (" + ", " + ", '<mo form="infix">+</mo>'),
    "minus": (" − ", " - ", '<mo form="infix">−</mo>'),
    "prefix": ("−", "-", _PREFIX),
    "times": (" · ", r" \cdot ", "<mo>·</mo>"),
    "beside": (" ", " ", ""),
    "comma": (", ", ", ", "<mo>,</mo>"),
    "fraction": ("{} / {}", r"\frac{{{}}}{{{}}}", "<mfrac><mrow>{}</mrow><mrow>{}</mrow></mfrac>"),
    "coefficient": ("({}/{})", r"\tfrac{{{}}}{{{}}}", "<mfrac><mn>{}</mn><mn>{}</mn></mfrac>"),
    "power": ("{}{}", "{}^{{{}}}", "<msup><mrow>{}</mrow><mn>{}</mn></msup>"),
    "group": ("({})", r"\left({}\right)", _FENCED),
    "positive": ("[{} > 0]", r"\left[{} > 0\right]", "<mrow><mo>[</mo>{}<mo>&gt;</mo><mn>0</mn><mo>]</mo></mrow>"),
    "step": (
        "({1} if {0} > 0 else {2})",
        r"\left({1} \text{{ if }} {0} > 0 \text{{ else }} {2}\right)",
        _FENCED.format(_MATHML_STEP),
    ),
    "sigmoid": ("σ({})", r"\sigma\left({}\right)", f"<mi>σ</mi>{_FENCED}"),
}
_TEMPLATES |= {
    name: (f"{name}({{}})", rf"\{name}\left({{}}\right)", f"<mi>{name}</mi>{_FENCED}")
    for name in ("tanh", "exp", "ln", "max")
}
_TEXT, _LATEX, _MATHML = (
    dict(zip(_TEMPLATES, column, strict=True)) for column in zip(*_TEMPLATES.values(), strict=True)
)
TEXT = Style(lambda symbol: symbol.text, str, _TEXT)
LATEX = Style(lambda symbol: symbol.latex, lambda text: text.replace("−", "-"), _LATEX)
MATHML = Style(
    lambda symbol: symbol.mathml,
    lambda text: f"{_PREFIX * text.startswith('−')}<mn>{text.removeprefix('−')}</mn>",
    _MATHML,
)


class Piece(NamedTuple):
    """A part of a formula as it is written. hold: how tightly; kind: "letter", "ratio", "number" or "group"."""

    text: str
    hold: int
    kind: str


class Written(NamedTuple):
    """A formula as text, as LaTeX, and as a page shows it."""

    text: str
    latex: str
    mathml: str


def in_all_styles(expression: Expression, put: Put | None = None) -> Written:
    """Return a formula in every style; as MathML in an element for each summand, for browsers break none of them."""
    whole, letters = plain(expression), put or MATHML.letters
    pieces = _summands(whole, MATHML, letters) if isinstance(whole, tree.Sum) else [_piece(whole, MATHML, letters).text]
    mathml = "<wbr>".join(f"<math>{piece}</math>" for piece in pieces)
    return Written(written(whole, TEXT, put), written(whole, LATEX, put), mathml)


def written(expression: Expression, style: Style = TEXT, put: Put | None = None) -> str:
    """Return the formula in a style, with what `put` gives for its symbols, their letters without it.

    >>> w, x = Symbol("w", "w₁", "w_{1}"), Symbol("x", "x", "x")
    >>> written(tree.Product((w, x))), written(tree.Product((w, x)), TEXT, lambda symbol: "−2")
    ('w₁ x', '(−2) · (−2)')
    """
    return _piece(expression, style, put or style.letters).text


def _piece(expression: Expression, style: Style, put: Put) -> Piece:
    match expression:
        case tree.Number(value) if value == Fraction(1, 2) and style is TEXT:
            return Piece("½", WHOLE, "letter")
        case tree.Number(value) if value.denominator == 1 or (exact_digits(value) and value.denominator % 10 == 0):
            return Piece(style.number(shown(value)), WHOLE if value >= 0 else SIGNED, "number")
        case tree.Number(value):
            return Piece(style.templates["coefficient"].format(value.numerator, value.denominator), WHOLE, "letter")
        case Symbol() if (number := put(expression)) != style.letters(expression):
            return Piece(style.number(number), SIGNED if number.startswith("−") else WHOLE, "number")
        case Symbol(text=text):
            return Piece(style.letters(expression), WHOLE, "ratio" if "∂" in text else "letter")
        case tree.Sum():
            return Piece("".join(_summands(expression, style, put)), LOOSE, "group")
        case tree.Negative(term):
            return Piece(style.templates["prefix"] + _held(_piece(term, style, put), FIRM, style), LOOSE, "group")
        case tree.Product(factors):
            return _product([_piece(factor, style, put) for factor in factors], style)
        case tree.Quotient(above, below):
            tight, hold = (WHOLE, FIRM) if style is TEXT else (LOOSE, WHOLE)
            parts = [_held(_piece(part, style, put), tight, style) for part in (above, below)]
            return Piece(style.templates["fraction"].format(*parts), hold, "group")
        case tree.Power(base, exponent):
            raised = str(exponent).translate(SUPERSCRIPTS) if style is TEXT else exponent
            held = _held(_piece(base, style, put), WHOLE, style)
            return Piece(style.templates["power"].format(held, raised), WHOLE, "letter")
        case tree.Function(name, argument):
            return Piece(style.templates[name].format(_piece(argument, style, put).text), WHOLE, "letter")
        case tree.Largest(terms):
            listed = style.templates["comma"].join(_piece(term, style, put).text for term in terms)
            return Piece(style.templates["max"].format(listed), WHOLE, "letter")
        case tree.Precise(formula):
            return _piece(formula, style, put)
        case tree.Indicator(argument, above, below):
            inside = _piece(argument, style, put).text
            if above == 1 and below == 0:
                return Piece(style.templates["positive"].format(inside), WHOLE, "letter")
            return Piece(style.templates["step"].format(inside, shown(above), shown(below)), WHOLE, "group")


def _held(piece: Piece, hold: int, style: Style) -> str:
    return piece.text if piece.hold >= hold else style.templates["group"].format(piece.text)


def _summands(expression: tree.Sum, style: Style, put: Put) -> list[str]:
    first, *rest = expression.terms
    summands = [_held(_piece(first, style, put), LOOSE, style)]
    for term in rest:
        sign, inner = (
            (style.templates["minus"], term.term)
            if isinstance(term, tree.Negative)
            else (style.templates["plus"], term)
        )
        piece = _piece(inner, style, put)
        # "1 − −2" is no arithmetic, and "1 − (a + b)" is not "1 − a + b".
        loose = piece.hold == SIGNED or (piece.hold == LOOSE and isinstance(inner, tree.Negative | tree.Sum))
        summands.append(sign + (style.templates["group"].format(piece.text) if loose else piece.text))
    return summands


def _product(pieces: list[Piece], style: Style) -> Piece:
    first, *rest = pieces
    text = _held(first, WHOLE, style) if len(pieces) > 1 else first.text
    before = first
    for piece in rest:
        loud = {before.kind, piece.kind} == {"ratio"} or (piece.kind == "number" and before.text != "½")
        loud |= before.kind == "number" and piece.kind in ("group", "number")
        text += (style.templates["times"] if loud else style.templates["beside"]) + _held(piece, WHOLE, style)
        before = piece
    return Piece(text, FIRM, "group")


def exact_digits(value: Value | None) -> str:
    """Return an exact value as a decimal, or as a fraction where it has none; "" for a float or a very long one.

    >>> exact_digits(Fraction("-1.3156")), exact_digits(Fraction(1, 3)), exact_digits(0.5)
    ('−1.3156', '1/3', '')
    """
    if not isinstance(value, Fraction):
        return ""
    above, below = value.as_integer_ratio()
    try:
        text = f"{EXACTLY.divide(Decimal(above), Decimal(below)):f}"
    except Inexact:
        text = f"{above}/{below}"
    return text.replace("-", "−") if len(text) <= LONGEST else ""


def shown(value: Value) -> str:
    """Return a value with six significant digits at most, its minus a real one.

    >>> shown(Fraction("-0.5379177600")), shown(2.0), shown(Fraction(1, 3)), shown(1.5e-9)
    ('−0.537918', '2', '0.333333', '1.5e−9')
    """
    if isinstance(value, Fraction):
        number = Decimal(value.numerator) / Decimal(value.denominator)
    else:
        number = Decimal(repr(value))
    text = f"{number:.{SIGNIFICANT}g}"
    digits, _, exponent = text.lower().partition("e")
    if exponent and -5 <= int(exponent) < SIGNIFICANT:
        digits, exponent = f"{Decimal(text):f}", ""
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    text = f"{digits}e{int(exponent)}" if exponent else digits
    return ("0" if text in ("-0", "0") else text).replace("-", "−")


def digits(value: Value) -> str:
    """Return an exact value with all of its digits where they can be read, another with six."""
    return exact_digits(value) or shown(value)


def circled(gap: int) -> str:
    """Return the number of a gap in a circle.

    >>> circled(3), circled(21)
    ('③', '(21)')
    """
    return chr(ord("①") + gap - 1) if gap <= 20 else f"({gap})"
