"""First weights of one layer, (O, I), from a stream of its own; biases start at zero.

zero: 0      random: 0.01 N(0, 1)      normal: N(0, 1)
he: N(0, 2/I) (He et al. 2015)         xavier: N(0, 2/(I + O)) (Glorot and Bengio 2010)
"""

__all__ = ["he", "normal", "random", "xavier", "zero"]

import math

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float64]


def zero(stream: np.random.Generator, outputs: int, inputs: int) -> Weights:
    """Return zeros (O, I)."""
    return np.zeros((outputs, inputs))


def random(stream: np.random.Generator, outputs: int, inputs: int) -> Weights:
    """Draw normal weights of standard deviation 0.01: (O, I)."""
    return 0.01 * stream.standard_normal((outputs, inputs))


def normal(stream: np.random.Generator, outputs: int, inputs: int) -> Weights:
    """Draw standard normal weights: (O, I)."""
    return stream.standard_normal((outputs, inputs))


def he(stream: np.random.Generator, outputs: int, inputs: int) -> Weights:
    """Draw normal weights of variance 2/I, which keeps the second moment through a rectifier: (O, I)."""
    return math.sqrt(2 / inputs) * stream.standard_normal((outputs, inputs))


def xavier(stream: np.random.Generator, outputs: int, inputs: int) -> Weights:
    """Draw normal weights of variance 2/(I + O), between keeping activations and keeping gradients: (O, I)."""
    return math.sqrt(2 / (inputs + outputs)) * stream.standard_normal((outputs, inputs))
