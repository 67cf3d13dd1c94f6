"""Tenfold's own losses, layers and models as subjects."""

import numpy as np
import pytest

from tenfold.choices import recipe
from tenfold.errors import UsageError
from tenfold.rooms import names
from tenfold.seeds import generator
from tenfold.teach.doctor.entries import ENTRIES, entry_subject

TARGETS = [f"{room}/{word}" for room in ENTRIES for word in names(room)]
CHOICES = {"plain": {}, "chosen": {"activation": "tanh", "dropout": 0.3, "l1": 0.1, "l2": 0.2, "hidden": [3]}}
H = 1e-6


def subject(target, choices=None, **options):
    choices = choices or {}
    return entry_subject(target, recipe(choices), frozenset(choices), **options)


def moved(problem, block, place, by):
    array = (problem.x if block == "x" else problem.params[block]).copy()
    array.flat[place] += by
    return problem._replace(x=array) if block == "x" else problem._replace(params=problem.params | {block: array})


@pytest.mark.parametrize("choices", CHOICES.values(), ids=CHOICES)
@pytest.mark.parametrize("target", TARGETS)
def test_gradient_autograd_and_slope_agree(target, choices):
    one = subject(target, choices)
    at = one.draw(generator(7), False)
    given, traced = one.evaluate(at), one.traced(at)
    assert one.blocks == tuple(one.shapes) == tuple(given.grads)
    for block in one.blocks:
        assert given.grads[block].shape == one.shapes[block]
        assert np.abs(given.grads[block] - traced[block]).max() < 1e-12
        up, down = (one.evaluate(moved(at, block, 0, side)).value for side in (H, -H))
        assert given.grads[block].flat[0] == pytest.approx((up - down) / (2 * H), rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("target", TARGETS)
def test_calls_repeat_and_leave_the_point_alone(target):
    one = subject(target)
    at = one.draw(generator(3), True)
    before = at.x.copy()
    assert one.evaluate(at).value == one.evaluate(at).value
    assert np.array_equal(at.x, before)


def test_a_models_fields_shape_it():
    assert subject("models/mlp", {"hidden": [3]}).shapes["hidden1.weight"] == (3, 7)
    assert "hidden2.weight" in subject("models/mlp").shapes
    at = subject("models/mlp").draw(generator(0), False)
    values = [subject("models/mlp", c).evaluate(at).value for c in ({}, {"l2": 0.1}, {"loss": "hinge"})]
    assert len(set(values)) == 3
    assert subject("models/mlp", {"activation": "tanh"}).evaluate(at).value not in values


def test_float32_is_computed_in_float32():
    at = subject("losses/softmax").draw(generator(0), False)
    wide, narrow = subject("losses/softmax").evaluate(at), subject("losses/softmax", float32=True).evaluate(at)
    assert (wide.dtype, narrow.dtype) == ("float64", "float32")
    assert wide.value != narrow.value
    assert narrow.value == pytest.approx(wide.value, rel=1e-6)


@pytest.mark.parametrize("hidden", [[100_000], [300, 400], [10**6, 10**6]])
def test_a_model_that_is_too_large_to_check_is_refused_before_it_is_built(hidden):
    with pytest.raises(UsageError, match=r"^--hidden .* weights; a check needs a few, such as --hidden 6-5$"):
        subject("models/mlp", {"hidden": hidden})


UNKNOWN = {
    "hinge": "an entry such as losses/hinge",
    "loses/hinge": "did you mean 'losses/hinge'",
    "losses/hnge": "did you mean 'hinge'",
    "optimizers/sgd": "neither a file (my_loss.py:function) nor",
    "": "neither a file",
}


@pytest.mark.parametrize(("target", "told"), UNKNOWN.items(), ids=UNKNOWN)
def test_an_unknown_entry_is_named_with_the_nearest(target, told):
    with pytest.raises(UsageError) as error:
        subject(target)
    assert told in str(error.value)
