"""The gradient of a layer's weights takes the sums z below instead of the outputs h = φ(z): ∂L/∂W = ∂L/∂zᵀ h."""

__all__ = ["activation_skipped"]

from collections.abc import Sequence

from torch import Tensor

from tenfold.teach.doctor.backward import Fault, Pass, Structure, Way
from tenfold.teach.faults import hidden

SAYS = "the gradient of {of} is taken with z, before the activation, where the layer's input is its output h"


def _ways(structure: Structure | None, names: Sequence[str]) -> list[Way]:
    behind = {i + 1 for i, _ in hidden(structure)}
    layers = enumerate(structure.layers if structure else ())
    return [Way("weight", _of_sums, SAYS.format(of=layer.weight), i) for i, layer in layers if i in behind]


def _of_sums(known: Pass, layer: int, right: Tensor, d: Tensor) -> Tensor:
    return d.mT @ known.pre[layer - 1]


activation_skipped = Fault(_ways)
