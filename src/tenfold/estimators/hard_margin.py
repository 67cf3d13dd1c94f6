"""Estimators that scikit-learn's pipelines, searches and checks take like its own."""

__all__ = ["EXPECTED_FAILED_CHECKS", "HardMarginClassifier"]

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from tenfold.teach.margin.phrases import mixture, vector
from tenfold.teach.margin.problem import Inseparable, Points, Separated, Soft
from tenfold.teach.margin.soft import soft_margin
from tenfold.teach.margin.solving import solve

EXPECTED_FAILED_CHECKS = dict.fromkeys(
    (
        "check_classifier_data_not_an_array",
        "check_classifiers_train",
        "check_dtype_object",
        "check_estimators_dtypes",
        "check_estimators_nan_inf",
        "check_fit_check_is_fitted",
        "check_fit_idempotent",
        "check_fit_score_takes_y",
        "check_n_features_in",
        "check_n_features_in_after_fitting",
        "check_supervised_y_2d",
    ),
    "its classes overlap, and to refuse those is what a hard margin is for; passes with soft=1.0",
)
"""Checks of scikit-learn's `check_estimator` that fail, for HardMarginClassifier(): check -> why it cannot pass."""


class HardMarginClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """The hyperplane of the largest margin between two classes, solved until its duality gap is one of rounding.

    soft: C of the soft margin that is taken where no hyperplane separates the classes; None: `fit` raises ValueError
    there, with the proof. After `fit`: `coef_` (1, D), `intercept_` (1,), `dual_coef_` (1, S), `support_` (S,),
    `support_vectors_` (S, D), `classes_` (2,), `n_features_in_`, `margin_` 1/‖w‖, and `solution_` with the whole proof.

    >>> model = HardMarginClassifier().fit([[1, 0], [0, 1], [1, 1], [2, 0]], [1, 1, 0, 0])
    >>> model.coef_.round(9).tolist(), model.intercept_.round(9).tolist(), model.support_.tolist()
    ([[-2.0, -2.0]], [3.0], [0, 1, 2, 3])
    """

    def __init__(self, soft: float | None = None) -> None:
        self.soft = soft

    def fit(self, X: ArrayLike, y: ArrayLike) -> "HardMarginClassifier":
        """Solve for points X (n, D) of two classes y (n,). Raises ValueError with the proof if none separates them."""
        if self.soft is not None and not 0 < self.soft < np.inf:
            raise ValueError(f"soft={self.soft!r}: expected a number C above 0, or None")
        x, labels = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(labels)
        self.classes_, kinds = np.unique(labels, return_inverse=True)
        if len(self.classes_) != 2:
            raise ValueError(_not_two(type_of_target(labels), len(self.classes_)))
        names = (str(self.classes_[1]), str(self.classes_[0]))
        sign = np.where(kinds == 1, 1, -1).astype(np.int8)
        points = Points(x, sign, names, None, tuple(f"row {k}" for k in range(len(x))))
        solution = solve(points, removal=False)
        line = soft_margin(points, self.soft) if isinstance(solution, Inseparable) and self.soft else solution
        if isinstance(line, Inseparable):
            raise ValueError(_proof(points, line))
        self.solution_: Separated | Soft = line
        self._keep(points, line)
        return self

    def _keep(self, points: Points, line: Separated | Soft) -> None:
        self.coef_, self.intercept_ = line.w[None].copy(), np.array([line.b])
        self.support_ = np.array(line.support, dtype=np.int32)
        self.support_vectors_ = points.x[self.support_]
        self.dual_coef_ = (line.multipliers * points.sign)[None, self.support_]
        self.margin_ = line.margin

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return w·x + b of points X (n, D): (n,), positive for `classes_[1]`, and 1 on its margin."""
        check_is_fitted(self)
        x = validate_data(self, X, dtype=np.float64, reset=False)
        values: NDArray[np.float64] = x @ self.coef_[0] + self.intercept_[0]
        return values

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the classes of points X (n, D): (n,)."""
        positive = self.decision_function(X) > 0
        kinds: NDArray[Any] = self.classes_[positive.astype(np.intp)]
        return kinds

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn that it takes two classes only."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


def _not_two(kind: str, count: int) -> str:
    """Say so in the words that scikit-learn's own checks look for."""
    if count < 2:
        return "Classifier can't train when only one class is present: a margin lies between two classes"
    return f"Only binary classification is supported. The type of the target is {kind}: {count} classes were given."


def _proof(points: Points, solution: Inseparable) -> str:
    """Write a sentence with the certificate, or with its size where that is large."""
    first, second = solution.first, solution.second
    if len(first) + len(second) <= 8:
        sides = f"{mixture(points.labels, first)} = {mixture(points.labels, second)} = {vector(solution.meeting)}"
    else:
        sides = f"mixtures of {len(first)} and {len(second)} of their points are one point"
    proof = f"{sides}, which both convex hulls hold"
    return f"the classes are not linearly separable: {proof}; give soft=1.0 for the soft margin"
