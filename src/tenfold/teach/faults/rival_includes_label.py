"""The hinge's maximum over the rivals k ≠ y runs over the true class too, whose 1 + z_y − z_y is always 1."""

__all__ = ["rival_includes_label"]

from functools import partial

from torch import Tensor

from tenfold.engine.arrays import one_hot
from tenfold.teach.doctor.backward import LABELED, Blocks, Fault, Mistake, Pass, Structure, scored

RIVAL = "the largest rival is sought among all classes, the true one too: where that leads, {then}"
COUNTED = "the sum over the rivals counts the true class too, whose violation is always 1: {then}"
LEAD = "the value's maximum runs over the true class too, so it never falls below 1; the gradient is that of the rivals"
LEADING = {
    0: "the gradient of an image is lost though its margin is violated",
    -1: "its row gets −1 and nobody +1",
    1: "its row gets +1 and nobody −1",
}
SIDES = {-1: "its row gets one −1 too many", 1: "its row gets a +1"}


@Fault
def rival_includes_label(structure: Structure, names: Blocks) -> list[Mistake]:
    """List the signs that may be left of a hinge's gradient."""
    if structure.loss == LABELED:
        k = structure.scale
        return [Mistake("scores", lambda run, layer, right: k * scored("hinge", run.scores, run.targets)[1], LEAD)]
    if structure.loss == "hinge":
        return [Mistake("scores", partial(_led, kept), RIVAL.format(then=then)) for kept, then in LEADING.items()]
    if structure.loss == "weston_watkins":
        return [Mistake("scores", partial(_counted, side), COUNTED.format(then=then)) for side, then in SIDES.items()]
    return []


def _led(kept: int, run: Pass, layer: int, right: Tensor) -> Tensor:
    """Take the maximum over all classes; kept: which of +1 and −1, assigned and not added, is left where y leads."""
    leader = one_hot(run.scores.argmax(-1), right)
    return run.structure.scale / run.images * (leader - run.labels + kept * leader * run.labels)


def _counted(side: int, run: Pass, layer: int, right: Tensor) -> Tensor:
    return right + side * run.structure.scale / run.images * run.labels
