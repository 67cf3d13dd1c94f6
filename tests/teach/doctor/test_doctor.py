"""The doctor names the faults that students make and leaves right functions alone; in full: campaigns/diagnoses.py."""

import math
import re

import pytest

from tests.teach.doctor.students.judging import judged
from tests.teach.doctor.students.problems import problems, right_cases
from tests.teach.doctor.students.registry import FAULTS, STUDENTS

RIGHT = 9
QUICK = (
    "softmax_scores_missing_mean_1",
    "hinge_scores_doubled_mean_1",
    "softmax_rows_penalty_left_out_1",
    "hinge_course_penalty_doubled_1",
    "sigmoid_course_penalty_on_bias_1",
    "softmax_course_transposed_1",
    "softmax_torch_transposed_2",
    "sigmoid_scores_sum_over_classes_1",
    "regress_relu_wrong_activation_derivative_1",
    "mlp_sigmoid_derivative_misplaced_2",
    "hinge_course_sign_1",
    "sigmoid_scores_label_not_subtracted_1",
    "softmax_jacobian_diagonal_jacobian_1",
    "hinge_scores_rival_includes_label_1",
    "softmax_course_stale_2",
    "softmax_rows_bias_not_summed_1",
    "softmax_rows_bias_not_summed_2",
    "hinge_course_batch_summed_twice_2",
    "softmax_course_mask_redrawn_2",
    "softmax_scores_clipped_2",
    "softmax_scores_differs_between_calls_1",
    "hinge_scores_other_hinge_1",
    "hinge_course_hinge_indicator_2",
    "hinge_l1_hinge_indicator_3",
    "hinge_l1_penalty_sign_lost_1",
    "hinge_torch_penalty_summed_1",
    "hinge_course_bias_from_weights_1",
    "hinge_l1_bias_from_weights_3",
)
TAUGHT = {student.name: student for student in STUDENTS}


def size(shapes):
    """How many numbers the arrays hold: differences of each are taken."""
    return sum(math.prod(map(int, re.findall(r"\d+", part))) for part in shapes.split(","))


def smallest(student):
    """The seed among a few whose problem is the quickest to examine."""
    return min(range(12), key=lambda seed: size(problems(student, seed).shapes))


def quick_cases():
    cases = sorted(right_cases(4 * RIGHT), key=lambda case: size(case.assignment.shapes))
    return cases[:RIGHT]


def test_the_quick_share_holds_every_fault():
    assert {TAUGHT[name].fault for name in QUICK} == set(FAULTS)


@pytest.mark.parametrize("name", QUICK)
def test_the_fault_is_named(name, tmp_path):
    student, seed = TAUGHT[name], smallest(TAUGHT[name])
    judgement = judged(student, problems(student, seed), seed, tmp_path)
    assert judgement.outcome == "named", judgement


def test_a_kink_that_was_not_seen_hides_no_fault(tmp_path):
    """At one of its five points a difference crosses a kink that does not look like one."""
    student = TAUGHT["hinge_course_hinge_indicator_1"]
    assert judged(student, problems(student, 10), 10, tmp_path).outcome == "named"


@pytest.mark.parametrize("case", quick_cases(), ids=lambda case: f"{case.student.name}-{case.assignment.how}")
def test_a_right_function_is_not_accused(case, tmp_path):
    judgement = judged(*case, tmp_path)
    assert judgement.outcome == "passed", judgement
