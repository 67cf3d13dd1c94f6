"""Figures of margins: each `draw(select(...))` as those of runs are, drawn where a command asks for one."""

__all__ = ["CLASSES", "GIVEN", "GREY", "INK", "LIGHT", "MARKS", "tint"]

CLASSES = ("#0072B2", "#D55E00")  # of the class of + and that of −: told apart with every common color blindness
MARKS = ("o", "D")  # theirs, for whoever prints without colors
GIVEN = "#009E73"  # what somebody gave, beside the solution
INK, GREY, LIGHT = "#202020", "#808080", "#E4E4E4"


def tint(color: str, share: float) -> str:
    """Thin a color with white, as a code without transparency.

    >>> tint("#0072B2", 0.1)
    '#e6f1f7'
    """
    return "#" + bytes(round(255 + (byte - 255) * share) for byte in bytes.fromhex(color[1:])).hex()
