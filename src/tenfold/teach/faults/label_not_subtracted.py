"""The target is not subtracted: p instead of p − t, ŷ instead of ŷ − y."""

__all__ = ["label_not_subtracted"]

from collections.abc import Sequence

from torch import Tensor

from tenfold.engine.arrays import one_hot
from tenfold.teach.doctor.backward import Fault, Pass, Structure, Way

SAYS = "the {what} is not subtracted: the scores' gradient is {wrong} where it should be {right}"
WORDS = {
    "softmax": ("label's row", "p", "p − [k = y]"),
    "sigmoid": ("label's row", "p", "p − [k = y]"),
    "logistic": ("label", "p", "p − y"),
    "squared_error": ("target", "ŷ", "ŷ − y"),
    "mean_squared_error": ("target", "2ŷ", "2(ŷ − y)"),
}

HINGES = ("hinge", "weston_watkins")
RIVALS = (
    "the label's row is not subtracted: the rivals' scores are pushed down, that of the true class is not pulled up"
)


def _ways(structure: Structure | None, names: Sequence[str]) -> list[Way]:
    if structure is not None and structure.loss in HINGES:
        return [Way("scores", _rivals, RIVALS)]
    if structure is None or structure.loss not in WORDS:
        return []
    what, wrong, right = WORDS[structure.loss]
    return [Way("scores", _bare, SAYS.format(what=what, wrong=wrong, right=right))]


def _bare(known: Pass, layer: int, right: Tensor) -> Tensor:
    """Without its target: the gradient is linear in it, with a slope that the loss and its scale decide."""
    n, c, loss = known.images, known.classes, known.structure.loss
    share = {"sigmoid": n * c, "mean_squared_error": n * c / 2}.get(loss, n)
    targets = one_hot(known.targets, right) if loss in ("softmax", "sigmoid") else known.targets.reshape(n, -1)
    return right + known.structure.scale / share * targets


def _rivals(known: Pass, layer: int, right: Tensor) -> Tensor:
    return right * (1 - one_hot(known.targets, right))


label_not_subtracted = Fault(_ways)
