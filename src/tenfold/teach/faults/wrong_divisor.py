"""The scores' gradient is divided by the number C of classes where the value is a mean over the N images."""

__all__ = ["wrong_divisor"]

from collections.abc import Sequence

from torch import Tensor

from tenfold.teach.doctor.backward import Fault, Pass, Structure, Way

SAYS = "the scores' gradient is divided by the number of classes, not by the number of images: shape[1] for shape[0]?"


def _ways(structure: Structure | None, names: Sequence[str]) -> list[Way]:
    return [Way("scores", _by_classes, SAYS, rank=1)] if structure else []


def _by_classes(known: Pass, layer: int, right: Tensor) -> Tensor:
    return right * (known.images / known.classes)


wrong_divisor = Fault(_ways)
