"""The gradient of the other hinge: summed over all rivals under the maximum over them, or the other way round.

With m_k = 1 + z_k − z_y, the hinge max(0, max_{k≠y} m_k) has the gradient [m_r > 0] ([k = r] − [k = y]) of its largest
rival r alone; Σ_{k≠y} max(0, m_k) has [m_k > 0] for every rival k, and minus their number for y.
"""

__all__ = ["other_hinge"]

from functools import partial

from torch import Tensor

from tenfold.teach.doctor.backward import LABELED, Blocks, Fault, Mistake, Pass, Structure, scored

MAXIMUM = (
    "the gradient is that of the hinge summed over all rivals, but the value has the largest rival's violation alone"
)
ONCE = "all rivals that violate the margin are pushed down, and the true class is pulled up once; {then}"
ALONE = "the value counts the largest rival's violation alone, so only that one has a gradient"
SUM = "the gradient is that of the largest rival alone, but the value is the hinge summed over all rivals"


@Fault
def other_hinge(structure: Structure, names: Blocks) -> list[Mistake]:
    """List the scores' gradients of the hinge that the value is not."""
    if structure.loss == "weston_watkins":
        then = "the value sums over them, so it must be pulled up once for each"
        return [Mistake("scores", partial(_of, "hinge"), SUM), Mistake("scores", _once, ONCE.format(then=then))]
    if structure.loss not in ("hinge", LABELED):
        return []
    return [
        Mistake("scores", partial(_of, "weston_watkins"), MAXIMUM),
        Mistake("scores", _once, ONCE.format(then=ALONE)),
    ]


def _of(loss: str, run: Pass, layer: int, right: Tensor) -> Tensor:
    return run.structure.scale * scored(loss, run.scores, run.targets)[1]


def _once(run: Pass, layer: int, right: Tensor) -> Tensor:
    d = _of("weston_watkins", run, layer, right)
    return d * (1 - run.labels) + _of("hinge", run, layer, right) * run.labels
