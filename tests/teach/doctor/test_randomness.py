"""Random numbers under control: replayed at every call, frozen at every draw, and left as they were."""

import random

import numpy as np
import pytest
import torch

from tenfold.teach.doctor.conduct import conduct, controlled
from tenfold.teach.doctor.subject import Evaluation, Problem, Subject

rng = np.random.default_rng(3)
legacy = np.random.RandomState(3)
default_rng = np.random.default_rng
seen = {"x": np.zeros(3)}
DRAWS = {
    "a generator of the module": lambda: rng.random(3),
    "a generator of the old kind": lambda: legacy.rand(3),
    "the global one": lambda: np.random.rand(3),
    "a new one each time": lambda: np.random.default_rng().normal(size=3),
    "a new one by its bare name": lambda: default_rng().normal(size=3),
    "torch": lambda: torch.rand(3, dtype=torch.float64).numpy(),
    "torch's dropout": lambda: torch.dropout(torch.ones(3, dtype=torch.float64), 0.5, True).numpy(),
}
every_draw = pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)


def subject(function):
    """A function of x alone: value and gradient."""

    def evaluate(problem):
        value, grad = function(problem.x.copy())
        return Evaluation(float(value), {"x": np.asarray(grad, dtype=float)})

    return Subject(
        "own", evaluate, lambda rng, integers: Problem(rng.standard_normal(3), {}, None), ("x",), {}, None, function
    )


POINTS = [Problem(np.array([1.0, 2.0, 3.0]), {}, None), Problem(np.array([0.5, -1.0, 2.0]), {}, None)]


@every_draw
def test_replayed_calls_draw_the_same_and_two_draws_differ(draw):
    def function(x):
        first, second = draw(), draw()
        return (first * x).sum() + 10 * (second * x).sum(), first - second

    if "dropout" not in str(draw):
        with controlled(subject(function), "replayed") as held:
            one, two = held.evaluate(POINTS[0]), held.evaluate(POINTS[0])
        assert one.value == two.value
        assert np.array_equal(one.grads["x"], two.grads["x"])


@every_draw
def test_frozen_draws_are_all_the_same(draw):
    with controlled(subject(lambda x: (draw().sum(), draw() - draw())), "frozen") as held:
        assert np.array_equal(held.evaluate(POINTS[0]).grads["x"], np.zeros(3))


def test_two_draws_of_a_replayed_call_are_not_the_same():
    def function(x):
        return 0.0, np.random.default_rng().random(3) - np.random.default_rng().random(3)

    with controlled(subject(function), "replayed") as held:
        assert np.abs(held.evaluate(POINTS[0]).grads["x"]).min() > 0


@pytest.mark.parametrize("mode", ["replayed", "frozen"])
def test_the_users_random_numbers_go_on_as_if_nothing_had_been(mode):
    def drawn():
        return random.random(), np.random.rand(), torch.rand(1).item(), rng.random(), legacy.rand()

    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    own = rng.bit_generator.state, legacy.get_state()
    expected = drawn()
    random.setstate(states[0])
    np.random.set_state(states[1])
    torch.set_rng_state(states[2])
    rng.bit_generator.state, _ = own[0], legacy.set_state(own[1])
    with controlled(subject(lambda x: (sum(drawn()), x)), mode) as held:
        held.evaluate(POINTS[0])
    assert drawn() == expected


KINDS = {
    "steady": lambda x: ((x**2).sum(), 2 * x),
    "random": lambda x: ((x * rng.random(3)).sum(), rng.random(3)),
    "seeded": lambda x: ((x * np.random.default_rng(0).random(3)).sum(), x),
    "stale": lambda x: ((x**2).sum(), [2 * seen["x"], seen.update(x=x)][0]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_how_a_function_behaves_is_seen(kind):
    assert conduct(subject(KINDS[kind]), POINTS) == kind


def test_a_coin_that_mostly_falls_the_same_way_is_no_memory():
    coins = np.random.default_rng(1)

    def function(x):
        flipped = coins.random() < 0.3
        return ((x[::-1] if flipped else x) * [1, 2, 3]).sum(), np.array([3.0, 2, 1] if flipped else [1.0, 2, 3])

    kinds = [conduct(subject(function), POINTS) for _ in range(20)]
    assert kinds.count("random") >= 17
    assert "stale" not in kinds


def test_what_cannot_be_controlled_is_restless():
    count = iter(range(100))
    assert conduct(subject(lambda x: (next(count), x)), POINTS) == "restless"
