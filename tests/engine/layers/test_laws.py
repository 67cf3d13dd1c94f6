"""The laws of layers, over every case that an entry declares."""

import numpy as np
import pytest
import torch

from tenfold.recipe import Recipe
from tenfold.rooms import find, marked
from tests.engine.cases import over, relative

SIZES = {"P": 3, "B": 5, "I": 7, "O": 4, "H": 6, "C": 2, "U": 6, "V": 5, "K": 3}
H = 1e-6


def arguments(case, draw, rng, at_kinks=False):
    """x, weights and bound numbers of a case; x away from its kinks, or with every other number exactly on one."""
    x = draw(*(SIZES[letter] for letter in case["x"]))
    for kink in case.get("kinks", ()):
        x = torch.where((x - kink).abs() < 0.01, x + 0.1, x)
        if at_kinks:
            x.view(-1)[::2] = kink
    weights = [draw(*(SIZES[letter] for letter in shape)) for shape in case.get("weights", ())]
    draws = {name: rng.random([SIZES[letter] for letter in shape]) for name, shape in case.get("noise", {}).items()}
    noise = {name: torch.from_numpy(np.floor(10 * u) / 10 if at_kinks else u) for name, u in draws.items()}
    return x, weights, noise | case.get("numbers", {})


@pytest.mark.parametrize("at_kinks", [False, True], ids=["smooth", "kinks"])
@pytest.mark.parametrize(("layer", "case"), over("layers"))
def test_layer_and_pullback_are_reference_and_autograd(layer, case, at_kinks, draw, rng):
    x, weights, bound = arguments(case, draw, rng, at_kinks)
    y, pull, *_ = layer(x, *weights, **bound)
    leaves = [tensor.clone().requires_grad_() for tensor in (x, *weights)]
    reference = case["reference"](*leaves, **bound)
    dy = draw(*y.shape)
    assert relative(y, reference.detach()) < 1e-12
    for ours, oracle in zip(pull(dy, need_dx=True), torch.autograd.grad(reference, leaves, dy), strict=True):
        assert relative(ours, oracle) < 1e-12


@pytest.mark.parametrize(("layer", "case"), over("layers"))
def test_layer_pullback_is_the_slope_along_a_random_direction(layer, case, draw, rng):
    x, weights, bound = arguments(case, draw, rng)
    tensors = [x, *weights]
    directions = [draw(*tensor.shape) for tensor in tensors]
    y, pull, *_ = layer(*tensors, **bound)
    dy = draw(*y.shape)
    up, down = (
        layer(*(t + sign * H * v for t, v in zip(tensors, directions, strict=True)), **bound)[0] for sign in (1, -1)
    )
    slope = float(((up - down) / (2 * H) * dy).sum())
    ours = sum(float((g * v).sum()) for g, v in zip(pull(dy, need_dx=True), directions, strict=True))
    assert abs(ours - slope) < 1e-7 * max(1, abs(slope))


@pytest.mark.parametrize(("layer", "case"), over("layers", lambda case: "P" in case["x"] or "weights" in case))
def test_layer_of_a_population_is_its_members(layer, case, draw, rng):
    x, weights, bound = arguments(case, draw, rng)
    y, pull, *_ = layer(x, *weights, **bound)
    dy = draw(*y.shape)
    dx, *dweights = pull(dy, need_dx=True)
    shared, total = "P" not in case["x"], torch.zeros_like(x)
    for k in range(SIZES["P"]):
        one = slice(k, k + 1)
        of_member = {name: v[one] if case.get("noise", {}).get(name, "")[:1] == "P" else v for name, v in bound.items()}
        y_k, pull_k, *_ = layer(x if shared else x[one], *(w[one] for w in weights), **of_member)
        dx_k, *dweights_k = pull_k(dy[one], need_dx=True)
        total[... if shared else one] += dx_k
        for ours, alone in zip((y, *dweights), (y_k, *dweights_k), strict=True):
            assert relative(ours[one], alone) < 1e-12
    assert relative(dx, total) < 1e-12


@pytest.mark.parametrize(("layer", "case"), over("layers"))
def test_layer_is_pure_and_leaves_out_what_is_not_needed(layer, case, draw, rng):
    x, weights, bound = arguments(case, draw, rng)
    y, pull, *_ = layer(x, *weights, **bound)
    dy = draw(*y.shape)
    given = [tensor for tensor in (x, *weights, y, dy, *bound.values()) if isinstance(tensor, torch.Tensor)]
    before = [tensor.clone() for tensor in given]
    first, second, without = pull(dy, need_dx=True), pull(dy), pull(dy, need_dx=False)
    assert all(torch.equal(a, b) for a, b in zip(given, before, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert without[0] is None
    assert all(torch.equal(a, b) for a, b in zip(first[1:], without[1:], strict=True))


@pytest.mark.parametrize("word", marked("layers", "ACTIVATION"))
def test_an_activation_is_a_word_of_the_recipe_and_takes_each_number_by_itself(word, draw):
    assert Recipe(activation=word, encoder_activation=word).activation == word
    x, activation = draw(3, 5, 4), find("layers", word)
    y, pull = activation(x)
    dx = pull(torch.ones_like(x))[0]
    single = [activation(number) for number in x.flatten()]
    assert relative(y.flatten(), torch.stack([value for value, _ in single])) < 1e-14
    one = torch.ones((), dtype=x.dtype)
    assert relative(dx.flatten(), torch.stack([pull_one(one)[0] for _, pull_one in single])) < 1e-14
