"""Figures: one file each, `draw(select(results))`; what several of them share is here.

`select` returns None where the results hold nothing for the figure, and `draw` is not called then.
"""

__all__ = ["plain", "rung_colors"]

import unicodedata

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex

# Okabe and Ito (2008) without the yellow, which is lost on white: told apart with every common color blindness.
_OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")


def plain(name: str, limit: int = 24) -> str:
    """One short line of visible characters, for names that come from outside.

    Controls, direction overrides and lone surrogates go: XML cannot hold some of them, others reorder their neighbors.

    >>> plain("a\\tvery \\x1b[31mlong\\u202e name", limit=16)
    'a very [31… name'
    """
    spaced = " ".join(name.split())
    shown = "".join(letter for letter in spaced if unicodedata.category(letter)[0] != "C") or "?"
    # Cut in the middle: names of a family often differ only at their end.
    tail = (limit - 1) // 3
    return shown if len(shown) <= limit else f"{shown[: limit - 1 - tail]}…{shown[-tail:]}"


def rung_colors(count: int) -> list[str]:
    """A color for each rung, as hexadecimal codes: Okabe–Ito while they last, else steps of viridis.

    >>> rung_colors(2)
    ['#0072B2', '#D55E00']
    """
    if count <= len(_OKABE_ITO):
        return list(_OKABE_ITO[:count])
    return [to_hex(colormaps["viridis"](share)) for share in np.linspace(0, 0.88, count)]
