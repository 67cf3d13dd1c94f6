"""First weights: mean, deviation, shape and stream of each."""

import math

import numpy as np
import pytest
from scipy import stats

from tenfold.engine import initializers
from tenfold.seeds import generator

CASES = {
    "zero": lambda outputs, inputs: 0.0,
    "random": lambda outputs, inputs: 0.01,
    "normal": lambda outputs, inputs: 1.0,
    "he": lambda outputs, inputs: math.sqrt(2 / inputs),
    "xavier": lambda outputs, inputs: math.sqrt(2 / (inputs + outputs)),
}


@pytest.mark.parametrize("shape", [(300, 200), (20, 3000), (1000, 50)])
@pytest.mark.parametrize("word", initializers.__all__)
def test_weights_are_normal_with_the_deviation_of_the_formula(word, shape):
    drawn, deviation = getattr(initializers, word)(generator(3, word), *shape), CASES[word](*shape)
    assert drawn.shape == shape
    assert drawn.dtype == np.float64
    assert abs(drawn.mean()) <= 5 * deviation / math.sqrt(drawn.size)
    assert abs(drawn.std() - deviation) <= 5 * deviation / math.sqrt(2 * drawn.size)
    if deviation:
        assert stats.kstest(drawn.ravel() / deviation, "norm").pvalue > 1e-4


@pytest.mark.parametrize("word", initializers.__all__)
def test_the_same_stream_gives_the_same_weights(word):
    make = getattr(initializers, word)
    assert np.array_equal(make(generator(3, "a"), 4, 5), make(generator(3, "a"), 4, 5))
    assert word == "zero" or not np.array_equal(make(generator(3, "a"), 4, 5), make(generator(3, "b"), 4, 5))
