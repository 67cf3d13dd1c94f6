"""Parzen estimators: better than random draws where there is something to learn, the same asked again."""

import math
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("optuna")
pytest.importorskip("cmaes")

import optuna

from tenfold.search.axes import fitting_piece, parse_axis
from tenfold.search.samplers.random import random
from tenfold.search.samplers.tpe import tpe

AXES = [
    parse_axis("learning_rate", "1e-5:1:log"),
    parse_axis("l2", "0,1e-6:1:log"),
    parse_axis("momentum", "0:0.99"),
    parse_axis("loss", "softmax,hinge"),
]


def score(member):
    """Best at a rate of 0.01, no l2, momentum 0.8, hinge."""
    penalty = 0 if member["l2"] == 0 else 0.3 + 0.1 * (math.log10(member["l2"]) + 6)
    rate = (math.log10(member["learning_rate"]) + 2) ** 2
    return -rate - penalty - 4 * (member["momentum"] - 0.8) ** 2 - 0.5 * (member["loss"] == "softmax")


def run(sample, seed, batches=4, count=16):
    told = []
    for batch in range(batches):
        told += [(member, score(member)) for member in sample(AXES, count, seed, batch, told)]
    return told


def test_it_beats_random_draws():
    learned, drawn = (np.array([max(s for _, s in run(sample, seed)) for seed in range(6)]) for sample in (tpe, random))
    assert np.median(learned) > np.median(drawn) / 2
    assert (learned > drawn).sum() >= 5


def test_every_member_lies_on_the_axes_and_a_batch_keeps_apart():
    members = [member for member, _ in run(tpe, 0)]
    for member in members:
        assert list(member) == [axis.name for axis in AXES]
        assert all(fitting_piece(axis, member[axis.name]) is not None for axis in AXES)
    assert len({member["learning_rate"] for member in members}) == len(members)


def test_the_same_is_asked_again_in_another_process():
    told = run(tpe, 5, batches=2)
    told[3] = (told[3][0], None)
    asked = tpe(AXES, 8, 5, 2, told)
    assert tpe(AXES, 8, 5, 2, told) == asked
    assert tpe(AXES, 8, 5, 3, told) != asked
    assert tpe(AXES, 8, 6, 2, told) != asked
    code = (
        "from tenfold.search.axes import parse_axis; from tenfold.search.samplers.tpe import tpe\n"
        f"axes = [parse_axis(n, o) for n, o in {[(a.name, o) for a, o in zip(AXES, OPTIONS, strict=True)]!r}]\n"
        f"print(tpe(axes, 8, 5, 2, {told!r}))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == repr(asked)


def test_every_version_of_optuna_that_is_allowed_is_asked_the_same():
    """Version 5 changed two defaults of the sampler."""
    asked = tpe(AXES, 2, 0, 1, run(tpe, 0, batches=1))
    assert [(member["l2"], member["loss"]) for member in asked] == [(0.0, "hinge")] * 2
    assert [member["learning_rate"] for member in asked] == pytest.approx([0.0124484753, 0.0306851651], rel=1e-6)
    assert [member["momentum"] for member in asked] == pytest.approx([0.7927129541, 0.7697356256], rel=1e-6)


OPTIONS = ["1e-5:1:log", "0,1e-6:1:log", "0:0.99", "softmax,hinge"]


def test_where_members_fail_it_asks_less():
    axes = [parse_axis("learning_rate", "1e-5:1e3:log")]
    told = []
    for batch in range(5):
        told += [(m, None if m["learning_rate"] > 0.1 else 0.5) for m in tpe(axes, 16, 0, batch, told)]
    failed = [s is None for _, s in told]
    assert sum(failed[:16]) > 4
    assert sum(failed[-32:]) < 8  # random draws: 16


def test_whole_numbers_and_shapes_and_what_a_model_lacks():
    axes = [parse_axis("model", "linear,mlp"), parse_axis("hidden", "64,64-32"), parse_axis("batch_size", "16:256:log")]
    told = []
    for batch in range(2):
        told += [(member, float(member["batch_size"])) for member in tpe(axes, 12, 0, batch, told)]
    for member, _ in told:
        assert isinstance(member["batch_size"], int)
        assert ("hidden" in member) == (member["model"] == "mlp")
        assert member.get("hidden", (64,)) in ((64,), (64, 32))


def test_json_makes_lists_of_shapes_and_is_understood():
    axes = [parse_axis("hidden", "64,64-32"), parse_axis("learning_rate", "1e-3:1:log")]
    members = tpe(axes, 12, 0, 0, [])
    tuples = [(member, member["learning_rate"]) for member in members]
    lists = [({**member, "hidden": list(member["hidden"])}, s) for member, s in tuples]
    assert tpe(axes, 4, 0, 1, lists) == tpe(axes, 4, 0, 1, tuples)


def test_optuna_keeps_its_own_verbosity():
    before = optuna.logging.get_verbosity()
    tpe(AXES, 1, 0, 0, [])
    assert optuna.logging.get_verbosity() == before
