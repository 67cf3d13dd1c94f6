"""The gradient of the other hinge: summed over all rivals under the maximum over them, or the other way round.

With m_k = 1 + z_k − z_y, the hinge max(0, max_{k≠y} m_k) has the gradient [m_r > 0] ([k = r] − [k = y]) of its largest
rival r alone; Σ_{k≠y} max(0, m_k) has [m_k > 0] for every rival k, and minus their number for y.
"""

__all__ = ["other_hinge"]

from torch import Tensor

from tenfold.teach.doctor.backward import LABELED, Blocks, Fault, Mistake, Pass, Structure, scored

MAXIMUM = (
    "the gradient is that of the hinge summed over all rivals, but the value has the largest rival's violation alone"
)
SUM = "the gradient is that of the largest rival alone, but the value is the hinge summed over all rivals"
ONCE = (
    "every rival that violates the margin is pushed down, but the true class is pulled up once: they should be as many"
)


@Fault
def other_hinge(structure: Structure, names: Blocks) -> list[Mistake]:
    """List the scores' gradients of the hinge that the value is not."""
    summed = structure.loss == "weston_watkins"
    if not summed and structure.loss not in ("hinge", LABELED):
        return []
    other, says = ("hinge", SUM) if summed else ("weston_watkins", MAXIMUM)
    return [Mistake("scores", lambda run, i, right: _of(other, run), says), Mistake("scores", _once, ONCE)]


def _of(loss: str, run: Pass) -> Tensor:
    return run.structure.scale * scored(loss, run.scores, run.targets)[1]


def _once(run: Pass, layer: int, right: Tensor) -> Tensor:
    return _of("weston_watkins", run) * (1 - run.labels) + _of("hinge", run) * run.labels
