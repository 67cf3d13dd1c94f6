"""Formulas: exact values, values from other inputs, magnitudes, and how they are written."""

import math
from fractions import Fraction

import pytest

from tenfold.teach.trace.expressions import (
    Function,
    Indicator,
    Largest,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
    evaluate,
    magnitude,
    settled,
    symbols,
)
from tenfold.teach.trace.notation import LATEX, TEXT, exact_digits, shown, written

W, H, B = (Symbol(key, text, latex) for key, text, latex in (("w", "w₁", "w_{1}"), ("h", "h", "h"), ("b", "b", "b")))
RATIO = Symbol("dw", "∂L/∂w", r"\frac{\partial L}{\partial w}")
HALF, TENTH = Number(Fraction(1, 2)), Number(Fraction(1, 100))
VALUES = {"w": Fraction(-1, 2), "h": Fraction(3), "b": Fraction(1, 4), "dw": Fraction(-2)}
AFFINE = Sum((Product((W, H)), B))


@pytest.mark.parametrize(
    ("expression", "value", "text", "numbers", "latex"),
    [
        (AFFINE, Fraction(-5, 4), "w₁ h + b", "(−0.5) · 3 + 0.25", "w_{1} h + b"),
        (
            Product((HALF, Power(Sum((H, Negative(B))), 2))),
            Fraction(121, 32),
            "½ (h − b)²",
            "½ (3 − 0.25)²",
            r"\tfrac{1}{2} \left(h - b\right)^{2}",
        ),
        (
            Sum((W, Negative(Product((B, RATIO))))),
            Fraction(0),
            "w₁ − b ∂L/∂w",
            "−0.5 − 0.25 · (−2)",
            r"w_{1} - b \frac{\partial L}{\partial w}",
        ),
        (Product((RATIO, RATIO)), Fraction(4), "∂L/∂w · ∂L/∂w", "(−2) · (−2)", None),
        (Largest((H, Product((TENTH, W)))), Fraction(3), "max(h, 0.01 w₁)", "max(3, 0.01 · (−0.5))", None),
        (Product((TENTH, Sum((W, B)))), Fraction(-1, 400), "0.01 · (w₁ + b)", "0.01 · (−0.5 + 0.25)", None),
        (Indicator(W, Fraction(1), Fraction(0)), Fraction(0), "[w₁ > 0]", "[−0.5 > 0]", r"\left[w_{1} > 0\right]"),
        (Indicator(W, Fraction(1), Fraction(1, 100)), Fraction(1, 100), "(1 if w₁ > 0 else 0.01)", None, None),
        (Quotient(H, Sum((H, B))), Fraction(12, 13), "h / (h + b)", "3 / (3 + 0.25)", r"\frac{h}{h + b}"),
        (Negative(Sum((W, B))), Fraction(1, 4), "−(w₁ + b)", "−(−0.5 + 0.25)", r"-\left(w_{1} + b\right)"),
        (Sum((H, Negative(W))), Fraction(7, 2), "h − w₁", "3 − (−0.5)", None),
        (Product((Number(Fraction(1, 3)), Sum((W, B)))), Fraction(-1, 12), "(1/3) (w₁ + b)", None, None),
        (Negative(Function("ln", H)), -math.log(3), "−ln(h)", "−ln(3)", r"-\ln\left(h\right)"),
        (Function("sigmoid", W), 1 / (1 + math.exp(0.5)), "σ(w₁)", "σ(−0.5)", None),
    ],
)
def test_a_formula_is_evaluated_and_written(expression, value, text, numbers, latex):
    assert evaluate(expression, VALUES) == pytest.approx(value, rel=1e-15, abs=0)
    assert written(expression) == text
    if numbers:
        assert written(expression, TEXT, lambda symbol: shown(VALUES[symbol.key])) == numbers
    if latex:
        assert written(expression, LATEX) == latex


def test_rational_formulas_stay_fractions_and_one_float_makes_floats():
    assert isinstance(evaluate(AFFINE, VALUES), Fraction)
    assert isinstance(evaluate(AFFINE, VALUES | {"b": 0.25}), float)


def test_a_formula_takes_what_stands_in_for_its_inputs():
    assert evaluate(AFFINE, VALUES | {"w": Fraction(2)}) == Fraction(25, 4)
    assert [symbol.key for symbol in symbols(AFFINE)] == ["w", "h", "b"]


def test_the_magnitude_knows_what_cancels():
    assert magnitude(AFFINE, VALUES, {}) == 1.75
    assert magnitude(AFFINE, VALUES, {"w": 10.0}) == 30.25
    assert magnitude(Sum((H, Negative(H))), VALUES, {}) == 6


def test_what_is_too_long_or_too_large_is_settled():
    assert isinstance(settled(Fraction(1, 3) ** 20000), float)
    assert settled(Fraction(1, 7)) == Fraction(1, 7)
    for large in (Fraction(10) ** 400, math.inf, math.nan):
        with pytest.raises(OverflowError):
            settled(large)


@pytest.mark.parametrize(
    ("value", "short", "exact"),
    [
        (Fraction("0.53791776"), "0.537918", "0.53791776"),
        (Fraction(-2), "−2", "−2"),
        (Fraction(1, 3), "0.333333", "1/3"),
        (Fraction("1e-12"), "1e−12", "0.000000000001"),
        (1234567.0, "1.23457e6", ""),
        (100000.0, "100000", ""),
        (0.00012, "0.00012", ""),
        (-0.0, "0", ""),
        (Fraction(1, 7**80), None, ""),
    ],
)
def test_numbers_are_shown_with_six_digits_and_exactly_where_that_can_be_read(value, short, exact):
    assert short is None or shown(value) == short
    assert exact_digits(value) == exact
