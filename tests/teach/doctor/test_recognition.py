"""What a function computes is read off its values, and nothing is seen where there is nothing to see."""

import numpy as np
import pytest

from tenfold.teach.doctor.recognition import described, recognized
from tenfold.teach.doctor.subject import Problem

N, D, H, C = 5, 6, 3, 4


def softmax(z, y):
    z = z - z.max(1, keepdims=True)
    return -(z - np.log(np.exp(z).sum(1, keepdims=True)))[np.arange(len(y)), y].mean()


def hinge(z, y):
    own = z[np.arange(len(y)), y]
    rivals = np.where(np.eye(z.shape[1])[y] > 0, -np.inf, z)
    return np.maximum(0, 1 + rivals.max(1) - own).mean()


def sigmoid(z, y):
    t = np.eye(z.shape[1])[y]
    return (np.logaddexp(0, z) - t * z).mean()


def points(value, rng, shapes, real=False):
    problems = []
    for _ in range(5):
        params = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
        y = rng.standard_normal((N, C)) if real else rng.integers(C, size=N)
        problems.append(Problem(rng.standard_normal((N, D if shapes else C)), params, y, 0 if real else C))
    return problems, [float(value(p.x, p.y, *p.params.values())) for p in problems]


LINEAR, DEEP = {"W": (D, C), "b": (C,)}, {"W1": (H, D), "W2": (C, H), "b1": (H,), "b2": (1, C)}
KNOWN = {
    "a linear classifier with the softmax loss": (LINEAR, lambda x, y, W, b: softmax(x @ W + b, y)),
    "a linear classifier with the hinge loss, summed over the batch and a penalty of 0.3 on ‖W‖²": (
        LINEAR,
        lambda x, y, W, b: N * hinge(x @ W + b, y) + 0.3 * (W**2).sum(),
    ),
    "a linear classifier with the sigmoid loss times 4 and a penalty of 0.05 on ‖W‖² + ‖b‖²": (
        LINEAR,
        lambda x, y, W, b: C * sigmoid(x @ W + b, y) + 0.05 * ((W**2).sum() + (b**2).sum()),
    ),
    "a linear classifier with the softmax loss and a penalty of 0.2 on ‖W‖₁": (
        {"W": (C, D)},
        lambda x, y, W: softmax(x @ W.T, y) + 0.2 * np.abs(W).sum(),
    ),
    "a network of 2 layers (tanh) with the softmax loss and a penalty of 0.1 on ‖W‖²": (
        DEEP,
        lambda x, y, V, W, a, b: softmax(np.tanh(x @ V.T + a) @ W.T + b, y) + 0.1 * ((V**2).sum() + (W**2).sum()),
    ),
    "a network of 2 layers (leaky_relu 0.2) with the hinge loss": (
        DEEP,
        lambda x, y, V, W, a, b: hinge(np.where((z := x @ V.T + a) > 0, z, 0.2 * z) @ W.T + b, y),
    ),
    "a network of 2 layers (silu) with the softmax loss": (
        DEEP,
        lambda x, y, V, W, a, b: softmax((z := x @ V.T + a) / (1 + np.exp(-z)) @ W.T + b, y),
    ),
    "the softmax loss": ({}, lambda z, y: softmax(z, y)),
}


@pytest.mark.parametrize("words", KNOWN)
def test_a_function_is_recognized_by_its_values(words, rng):
    shapes, value = KNOWN[words]
    problems, values = points(value, rng, shapes)
    found = recognized(problems, values, 1e-9)
    assert [described(structure, N) for structure in found] == [words]


def test_a_regression_is_told_from_its_double(rng):
    def value(x, y, W, b):
        return ((np.maximum(0, x @ W + b) - y) ** 2).sum() / N

    problems, values = points(value, rng, LINEAR, real=True)
    (found,) = recognized(problems, values, 1e-9)
    assert (found.loss, found.scale, found.output) == ("squared_error", 2, "relu")


@pytest.mark.parametrize("shapes", [{"w": (D,), "b": ()}, {"w": (D, 1), "b": (1,)}, {"w": (1, D), "b": (1,)}], ids=str)
def test_two_classes_may_share_one_score(shapes, rng):
    def value(x, y, w, b):
        z = x @ w.reshape(D) + np.sum(b)
        return (np.logaddexp(0, z) - y * z).mean()

    problems, values = points(value, rng, shapes)
    problems = [p._replace(y=p.y % 2, classes=2) for p in problems]
    values = [float(value(p.x, p.y, *p.params.values())) for p in problems]
    assert "the logistic loss" in described(recognized(problems, values, 1e-9)[0], N)


def test_what_is_near_is_not_taken_for_it(rng):
    problems, values = points(KNOWN["a linear classifier with the softmax loss"][1], rng, LINEAR)
    assert not recognized(problems, [value + 1e-6 for value in values], 1e-9)
    assert not recognized(problems, [np.sin(value) for value in values], 1e-9)
