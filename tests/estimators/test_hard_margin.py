"""HardMarginClassifier: scikit-learn's own checks, its SVC as the oracle, and a refusal that carries its proof."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator, estimator_checks_generator

from tenfold.estimators.hard_margin import EXPECTED_FAILED_CHECKS, HardMarginClassifier

FOUR, KINDS = [[1, 0], [0, 1], [1, 1], [2, 0]], ["in", "in", "out", "out"]


def test_scikit_learns_checks_of_a_hard_margin():
    logs = check_estimator(HardMarginClassifier(), expected_failed_checks=EXPECTED_FAILED_CHECKS, on_skip=None)
    named = {log["check_name"] for log in logs if log["status"] == "xfail"}
    assert named == set(EXPECTED_FAILED_CHECKS), "a check that passes is listed as one that cannot"


SOFT = {check.func.__name__: (model, check) for model, check in estimator_checks_generator(HardMarginClassifier(1.0))}


@pytest.mark.parametrize("name", EXPECTED_FAILED_CHECKS)
def test_the_checks_whose_classes_overlap_pass_with_a_soft_margin(name):
    model, check = SOFT[name]
    check(model)


def test_what_is_fitted_is_what_scikit_learn_calls_it(rng):
    x = np.vstack([rng.normal(size=(30, 4)), rng.normal(size=(25, 4)) + 4])
    y = np.repeat(["a", "b"], (30, 25))
    own, other = HardMarginClassifier().fit(x, y), SVC(C=1e9, kernel="linear", tol=1e-9).fit(x, y)
    for name in ("coef_", "intercept_"):
        np.testing.assert_allclose(getattr(own, name), getattr(other, name), rtol=1e-5)
    assert own.support_.tolist() == sorted(other.support_.tolist())
    assert own.dual_coef_.shape == (1, len(own.support_))
    np.testing.assert_allclose(own.dual_coef_ @ own.support_vectors_, own.coef_, rtol=1e-9)
    np.testing.assert_allclose(own.decision_function(x), other.decision_function(x), atol=1e-4)
    np.testing.assert_array_equal(own.predict(x), y)
    assert own.margin_ == pytest.approx(1 / np.linalg.norm(own.coef_))
    assert own.n_features_in_ == 4
    assert own.classes_.tolist() == ["a", "b"]


def test_it_is_one_step_of_a_pipeline(rng):
    x, y = np.vstack([rng.normal(size=(20, 2)), rng.normal(size=(20, 2)) + 9]), np.repeat([0, 1], 20)
    model = make_pipeline(StandardScaler(), HardMarginClassifier())
    assert cross_val_score(model, x, y, cv=4).mean() == 1.0
    assert clone(HardMarginClassifier(soft=2.0)).soft == 2.0


def test_classes_that_overlap_are_refused_with_the_proof():
    with pytest.raises(
        ValueError, match=r"0.5 \(row 0\) \+ 0.5 \(row 1\) = 0.5 \(row 2\) \+ 0.5 \(row 3\) = \(0.5, 0.5\)"
    ):
        HardMarginClassifier().fit([[0, 0], [1, 1], [0, 1], [1, 0]], [1, 1, 0, 0])


def test_a_long_proof_is_told_by_its_size(rng):
    x = rng.normal(size=(18, 8))
    with pytest.raises(ValueError, match=r"mixtures of \d+ and \d+ of their points are one point") as caught:
        HardMarginClassifier().fit(x, np.arange(18) % 2)
    assert len(str(caught.value)) < 300


def test_the_soft_margin_is_taken_only_where_it_must():
    hard = HardMarginClassifier(soft=1e-3).fit(FOUR, KINDS)
    assert np.abs(hard.coef_).round(9).tolist() == [[2, 2]]
    overlapping = HardMarginClassifier(soft=1.0).fit([[0], [2], [1], [4]], [0, 0, 1, 1])
    assert overlapping.predict([[-5], [9]]).tolist() == [0, 1]


@pytest.mark.parametrize("soft", [0, -1.0, float("nan"), float("inf")])
def test_a_price_that_is_none(soft):
    with pytest.raises(ValueError, match="expected a number C above 0"):
        HardMarginClassifier(soft=soft).fit(FOUR, KINDS)


def test_two_classes_and_no_others():
    assert not get_tags(HardMarginClassifier()).classifier_tags.multi_class
    with pytest.raises(ValueError, match="Only binary classification is supported"):
        HardMarginClassifier().fit([[0], [1], [2]], [0, 1, 2])
    with pytest.raises(ValueError, match="only one class is present"):
        HardMarginClassifier().fit([[0], [1]], [1, 1])
    with pytest.raises(NotFittedError):
        HardMarginClassifier().predict([[0]])


def test_importing_the_package_does_not_import_the_estimators():
    code = "import sys, tenfold; sys.exit('sklearn' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
