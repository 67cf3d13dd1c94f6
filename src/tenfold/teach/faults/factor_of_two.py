"""The 2 of a square: ½ (ŷ − y)² has the gradient ŷ − y, (ŷ − y)² has 2 (ŷ − y)."""

__all__ = ["factor_of_two"]

from tenfold.teach.faults import factor_fault

TWICE = "{of} is twice the right one: the gradient of ½(ŷ − y)² is ŷ − y, that of (ŷ − y)² is 2(ŷ − y)"
HALF = TWICE.replace("twice", "half of")
SQUARES = ("squared_error", "mean_squared_error")

factor_of_two = factor_fault((TWICE, lambda run: 2), (HALF, lambda run: 0.5), losses=SQUARES)
