"""The softmax's Jacobian ∂p_j/∂z_k = p_j ([j = k] − p_k) taken for its diagonal p_k (1 − p_k).

Behind −log p_y this leaves −[k = y] (1 − p_k); behind the finished p − t it multiplies by p (1 − p) once more.
"""

__all__ = ["diagonal_jacobian"]

from torch import Tensor

from tenfold.teach.doctor.backward import Blocks, Fault, Mistake, Pass, Structure

OFF = "the softmax's Jacobian is taken for diagonal: raising one score lowers all other probabilities, −p_j p_k is lost"
TWICE = "p − [k = y] is multiplied by p(1 − p): it is the gradient in the scores already, {of} derivative is in it"


@Fault
def diagonal_jacobian(structure: Structure, names: Blocks) -> list[Mistake]:
    """List the diagonals that may stand for a Jacobian behind this loss."""
    softmax, sigmoid = structure.loss == "softmax", structure.loss in ("sigmoid", "logistic")
    lost = Mistake("scores", lambda run, layer, right: right * run.labels, OFF)
    twice = Mistake("scores", _twice, TWICE.format(of="softmax's" if softmax else "the sigmoid's"))
    return [lost, twice] if softmax else [twice] if sigmoid else []


def _twice(run: Pass, layer: int, right: Tensor) -> Tensor:
    p = run.scores.softmax(-1) if run.structure.loss == "softmax" else run.scores.sigmoid()
    return right * p * (1 - p)
