"""The target is not subtracted: p instead of p − t, ŷ instead of ŷ − y."""

__all__ = ["label_not_subtracted"]

from torch import Tensor

from tenfold.teach.doctor.backward import Blocks, Fault, Mistake, Pass, Structure

SAYS = "the {what} is not subtracted: the scores' gradient is {wrong} where it should be {right}"
WORDS = {
    "softmax": ("label's row", "p", "p − [k = y]"),
    "sigmoid": ("label's row", "p", "p − [k = y]"),
    "logistic": ("label", "p", "p − y"),
    "squared_error": ("target", "ŷ", "ŷ − y"),
    "mean_squared_error": ("target", "2ŷ", "2(ŷ − y)"),
}
HINGE = "the label's row is not subtracted: the rivals' scores are pushed down, that of the true class is not pulled up"


@Fault
def label_not_subtracted(structure: Structure, names: Blocks) -> list[Mistake]:
    """List the scores' gradient without its target."""
    if structure.loss in ("hinge", "weston_watkins"):
        return [Mistake("scores", lambda run, layer, right: right * (1 - run.labels), HINGE)]
    if structure.loss not in WORDS:
        return []
    what, wrong, right = WORDS[structure.loss]
    return [Mistake("scores", _bare, SAYS.format(what=what, wrong=wrong, right=right))]


def _bare(run: Pass, layer: int, right: Tensor) -> Tensor:
    """Add the target again: the gradient is linear in it, with a slope that the loss and its scale decide."""
    (n, c), loss = run.scores.shape, run.structure.loss
    share = {"sigmoid": n * c, "mean_squared_error": n * c / 2}.get(loss, n)
    targets = run.labels if loss in ("softmax", "sigmoid") else run.targets.reshape(n, -1)
    return right + run.structure.scale / share * targets
