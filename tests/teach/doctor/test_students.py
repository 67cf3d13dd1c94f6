"""The test material itself: right functions agree with autograd, wrong ones in the value but not in the gradient."""

import warnings
from itertools import count

import numpy as np
import pytest
import torch

from tests.teach.doctor.students.bases import BASES
from tests.teach.doctor.students.problems import HOWS, point, problems, right_cases
from tests.teach.doctor.students.reference import gradients
from tests.teach.doctor.students.registry import FAULTS, STUDENTS, blocks_of

RANDOM = ("mask_redrawn", "differs_between_calls")
every_file = pytest.mark.parametrize("file", BASES)


def handed_in(file, kind):
    """The students of one file: "right", "wrong", or "random", whose value is a matter of chance."""
    kinds = {"": "right", **dict.fromkeys(RANDOM, "random")}
    return [s for s in STUDENTS if s.base.file == file and kinds.get(s.fault, "wrong") == kind]


def call(function, student, arrays, constants):
    """Value and gradients by block, torch's or NumPy's, at copies of the point."""
    wrap = torch.tensor if "import torch" in student.source else np.array
    value, grads = function(*map(wrap, arrays.values()), *constants.values())
    return float(value), blocks_of(student.base, grads)


def distance(a, b):
    """Largest relative error over the blocks, infinite where a shape is wrong."""
    off = [
        np.inf
        if a[k].shape != b[k].shape
        else np.abs(a[k] - b[k]).max() / max(1e-8, np.abs(a[k]).max() + np.abs(b[k]).max())
        for k in a
    ]
    return max(off)


def reseeded(monkeypatch, student):
    """A function whose every call draws the same numbers: its own generators made anew, the global ones seeded."""
    draw = np.random.default_rng

    def function(*arguments):
        seeds = count(3)
        np.random.seed(0)
        torch.manual_seed(0)
        monkeypatch.setattr(np.random, "default_rng", lambda seed=None: draw(next(seeds) if seed is None else seed))
        return student.function(*arguments)

    return function


def differences(function, student, arrays, constants, step=1e-6):
    """Central differences of the value in every block."""
    names = student.base.parameters or ["x"]
    grads = {name: np.zeros_like(arrays[name]) for name in names}
    for name in names:
        for spot in np.ndindex(arrays[name].shape):
            ends = []
            for sign in (1, -1):
                moved = {key: array.copy() for key, array in arrays.items()}
                moved[name][spot] += sign * step
                ends.append(call(function, student, moved, constants)[0])
            grads[name][spot] = (ends[0] - ends[1]) / (2 * step)
    return grads


def test_every_fault_is_there_for_every_kind_it_can_befall():
    assert {student.fault for student in STUDENTS} == {*FAULTS, ""}
    for loss in ("softmax", "hinge", "sigmoid"):
        found = {student.fault for student in STUDENTS if student.base.loss == loss} - {""}
        assert len(found) >= 13, (loss, found)


@every_file
def test_right_functions_agree_with_autograd(file):
    for student in handed_in(file, "right"):
        tolerance = 1e-4 if student.name.endswith("float32") else 1e-9
        problem = problems(student, 0)
        arrays = point(problem, np.random.default_rng(0))
        value, grads = call(student.function, student, arrays, problem.constants)
        drops = "random(" in student.source  # autograd's reference has no dropout
        if drops:
            expected, wanted = value, differences(student.function, student, arrays, problem.constants)
        else:
            expected, wanted = gradients(student.base, arrays, problem.constants)
        assert value == pytest.approx(expected, rel=tolerance), student.name
        assert distance(grads, {k: wanted[k] for k in grads}) < (1e-6 if drops else tolerance), student.name


def effect(student, seed, points=6):
    """How far the gradient is from the right one, at the worst of a few points of a problem; the value is right."""
    problem, function, worst = problems(student, seed), student.function, 0.0
    for number in range(points):
        arrays = point(problem, np.random.default_rng([seed, number]))
        value, grads = call(function, student, arrays, problem.constants)
        expected, wanted = gradients(student.base, arrays, problem.constants)
        assert value == pytest.approx(expected, rel=1e-9), student.name
        worst = max(worst, distance(grads, {k: wanted[k] for k in grads}))
        if worst > 1e-3:
            break
    return worst


def random_effect(monkeypatch, student, seed, points=3):
    """Distance of the gradient from the differences of the same draws, and whether calls at a point give two values."""
    problem, worst = problems(student, seed), 0.0
    for number in range(points):
        arrays = point(problem, np.random.default_rng([seed, number]))
        with monkeypatch.context() as patch:
            function = reseeded(patch, student)
            measured = differences(function, student, arrays, problem.constants)
            grads = call(function, student, arrays, problem.constants)[1]
        worst = max(worst, distance({k: grads[k] for k in measured}, measured))
        if worst > 1e-3:
            break
    again = student.function
    return worst, len({call(again, student, arrays, problem.constants)[0] for _ in range(12)}) > 1


@every_file
def test_wrong_functions_have_the_right_value_and_a_wrong_gradient(file):
    for student in handed_in(file, "wrong"):
        assert effect(student, 0) > 1e-3, student.name


@every_file
def test_redrawn_masks_break_the_gradient_and_noise_drawn_once_only_the_repetition(monkeypatch, file):
    for student in handed_in(file, "random"):
        redrawn = student.fault == "mask_redrawn"
        off, differs = random_effect(monkeypatch, student, 0, points=3 if redrawn else 1)
        assert (off > 1e-3) == redrawn, student.name
        assert differs or "default_rng(0)" in student.source or "default_rng(5)" in student.source, student.name


def test_right_cases_are_finite_and_of_every_kind():
    cases = list(right_cases(100))
    assert {case.assignment.how for case in cases} == set(HOWS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for student, problem, seed in cases:
            arrays = point(problem, np.random.default_rng(seed))
            value, grads = call(student.function, student, arrays, problem.constants)
            assert np.isfinite(value), (student.name, problem)
            assert all(np.isfinite(grad).all() for grad in grads.values()), (student.name, problem)
