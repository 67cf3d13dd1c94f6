"""The hinge's maximum over the rivals k ≠ y runs over the true class too, whose 1 + z_y − z_y is always 1."""

__all__ = ["rival_includes_label"]

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from tenfold.engine.arrays import one_hot
from tenfold.teach.doctor.backward import LABELED, Fault, Pass, Structure, Way, scored

RIVAL = "the largest rival is sought among all classes, the true one too: where that leads, {then}"
COUNTED = "the sum over the rivals counts the true class too, whose violation is always 1: {then}"
VALUE = (
    "the value's maximum runs over the true class too, so it never falls below 1; the gradient is that of the rivals"
)


def _ways(structure: Structure | None, names: Sequence[str]) -> list[Way]:
    loss = structure.loss if structure else ""
    if loss == LABELED:
        return [Way("scores", _of_rivals, VALUE)]
    if loss == "hinge":
        nothing = RIVAL.format(then="the gradient of an image is lost though its margin is violated")
        pulled = RIVAL.format(then="its row gets −1 and nobody +1")
        pushed = RIVAL.format(then="its row gets +1 and nobody −1")
        return [
            Way("scores", _cancelled, nothing),
            Way("scores", _one_sided(-1), pulled),
            Way("scores", _one_sided(1), pushed),
        ]
    if loss == "weston_watkins":
        down, up = COUNTED.format(then="its row gets one −1 too many"), COUNTED.format(then="its row gets a +1")
        return [Way("scores", _counted(-1), down), Way("scores", _counted(1), up)]
    return []


def _share(known: Pass) -> float:
    return known.structure.scale / known.images


def _cancelled(known: Pass, layer: int, right: Tensor) -> Tensor:
    """[m > 0] with the maximum over all classes, whose m is at least 1: +1 and −1 meet where the true class leads."""
    return _share(known) * (_leader(known, right) - one_hot(known.targets, right))


def _one_sided(kept: int) -> Callable[[Pass, int, Tensor], Tensor]:
    """The same, but assigned instead of added where the true class leads: only one of +1 and −1 is left there."""

    def change(known: Pass, layer: int, right: Tensor) -> Tensor:
        leader, own = _leader(known, right), one_hot(known.targets, right)
        return _share(known) * (leader - own + kept * leader * own)

    return change


def _counted(side: int) -> Callable[[Pass, int, Tensor], Tensor]:
    def change(known: Pass, layer: int, right: Tensor) -> Tensor:
        return right + side * _share(known) * one_hot(known.targets, right)

    return change


def _of_rivals(known: Pass, layer: int, right: Tensor) -> Tensor:
    return known.structure.scale * scored("hinge", known.scores, known.targets)[1]


def _leader(known: Pass, like: Tensor) -> Tensor:
    return one_hot(torch.argmax(known.scores, -1), like)


rival_includes_label = Fault(_ways)
