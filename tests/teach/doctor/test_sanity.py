"""A model's first steps on data: quiet where all is well, and every check can fail."""

import pytest

from tenfold.choices import recipe
from tenfold.data.load import load
from tenfold.teach.doctor.sanity import sanity


@pytest.fixture(scope="module")
def found():
    """`found(model="mlp", …)`: the findings on the bundled digits by name."""
    digits, known = load("digits"), {}

    def look(**choices):
        key = str(choices)
        if key not in known:
            known[key] = {one.name: one for one in sanity(recipe({"model": "mlp", **choices}), dataset=digits)}
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tenfold.teach.doctor.sanity.LONGEST", 300)
        yield look


SOUND = {
    "mlp": {},
    "linear": {"model": "linear", "learning_rate": 0.1},
    "zero linear": {"model": "linear", "initializer": "zero", "learning_rate": 0.1},
    "adam": {"optimizer": "adam", "learning_rate": 0.001},
    "tanh": {"activation": "tanh", "initializer": "xavier", "learning_rate": 0.1},
    "hinge": {"loss": "hinge"},
}


@pytest.mark.parametrize("choices", SOUND.values(), ids=SOUND)
def test_nothing_is_said_of_a_sound_model(found, choices):
    findings = found(**choices)
    assert [one.name for one in findings.values() if not one.ok] == []
    assert {"initial loss", "few images", "gradient flow", "update ratio"} <= set(findings)
    assert all("\n" not in one.measured + one.expected for one in findings.values())


DEEP = {"hidden": [8] * 7, "activation": "sigmoid"}
FAILING = {
    "initial loss": ({"initializer": "normal"}, "the first weights are too large"),
    "few images": ({"learning_rate": 1e-6}, "is the learning rate too small"),
    "few images, zero": ({"initializer": "zero"}, "does a gradient not arrive"),
    "gradient flow": (DEEP, "it vanishes on its way back"),
    "gradient flow, zero": ({"initializer": "zero"}, "none reaches hidden1"),
    "dead units": ({"learning_rate": 10.0}, "they learn nothing more"),
    "saturated units": ({"activation": "tanh", "initializer": "normal"}, "they learn nothing more"),
    "update ratio": ({"learning_rate": 1e-6}, "try a larger learning rate"),
    "update ratio, zero": ({"initializer": "zero"}, "no gradient arrives"),
}


@pytest.mark.parametrize(("name", "case"), FAILING.items(), ids=FAILING)
def test_every_check_can_fail(found, name, case):
    choices, says = case
    one = found(**choices)[name.partition(",")[0]]
    assert not one.ok
    assert says in one.expected


def test_steps_that_are_too_large_are_told(found):
    one = found(model="linear", initializer="random", learning_rate=30.0)["update ratio"]
    assert not one.ok
    assert "try a smaller learning rate" in one.expected


def test_a_step_that_is_not_finite_is_named(found):
    findings = found(initializer="normal", learning_rate=1e4, activation="identity")
    for name in ("few images", "update ratio"):
        assert not findings[name].ok
        assert "not finite in step" in findings[name].measured


def test_a_gradient_that_explodes_is_told(found):
    one = found(initializer="normal", hidden=[128] * 4, activation="identity")["gradient flow"]
    assert not one.ok
    assert "it explodes" in one.expected


def test_numbers_come_along(found):
    findings = found()
    assert findings["initial loss"].numbers["guessing"] == pytest.approx(2.302585, abs=1e-5)
    assert findings["initial loss"].numbers["uninformed"] == pytest.approx(
        findings["initial loss"].numbers["loss"], 0.1
    )
    assert findings["initial loss"].numbers["uninformed"] != findings["initial loss"].numbers["loss"]
    assert findings["few images"].numbers["right"] == findings["few images"].numbers["images"] == 50
    assert set(findings["gradient flow"].numbers["rms"]) == {"hidden1", "scores"}
    assert findings["dead units"].numbers["share"]["hidden1"] == [0, 0]
    assert -4 < findings["update ratio"].numbers["log10"]["scores"] < -2
    assert found(initializer="zero")["update ratio"].numbers["log10"]["scores"] is None


def test_the_same_recipe_finds_the_same():
    digits = load("digits")
    first, again = (
        sanity(recipe({"model": "linear", "seed": 3, "learning_rate": 0.3}), dataset=digits) for _ in range(2)
    )
    assert first == again


def test_real_images(data_root):
    findings = sanity(recipe({"model": "mlp", "data": "cifar10"}), str(data_root("cifar10")))
    assert all(one.ok for one in findings)
