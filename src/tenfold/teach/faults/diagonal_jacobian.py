"""The softmax's Jacobian ∂p_j/∂z_k = p_j ([j = k] − p_k) taken for its diagonal p_k (1 − p_k).

Behind −log p_y this leaves −[k = y] (1 − p_k); behind the finished p − t it multiplies by p (1 − p) once more.
"""

__all__ = ["diagonal_jacobian"]

from collections.abc import Sequence

from torch import Tensor

from tenfold.engine.arrays import one_hot
from tenfold.teach.doctor.backward import Fault, Pass, Structure, Way

LOST = (
    "the softmax's Jacobian is taken for diagonal: raising one score lowers all other probabilities, −p_j p_k is lost"
)
TWICE = "p − [k = y] is multiplied by p(1 − p): it is the gradient in the scores already, softmax's derivative is in it"


def _ways(structure: Structure | None, names: Sequence[str]) -> list[Way]:
    if structure is None or structure.loss not in ("softmax", "sigmoid", "logistic"):
        return []
    lost = [Way("scores", _lost, LOST)] if structure.loss == "softmax" else []
    says = TWICE if structure.loss == "softmax" else TWICE.replace("softmax's", "the sigmoid's")
    return [*lost, Way("scores", _twice, says)]


def _lost(known: Pass, layer: int, right: Tensor) -> Tensor:
    return right * one_hot(known.targets, right)


def _twice(known: Pass, layer: int, right: Tensor) -> Tensor:
    p = known.scores.softmax(-1) if known.structure.loss == "softmax" else known.scores.sigmoid()
    return right * p * (1 - p)


diagonal_jacobian = Fault(_ways)
