"""The gradient of a layer's weights takes the sums z below instead of the outputs h = φ(z): ∂L/∂W = ∂L/∂zᵀ h."""

__all__ = ["activation_skipped"]

from collections.abc import Sequence

from tenfold.teach.doctor.backward import Fault, Mistake, Structure
from tenfold.teach.faults import hidden

SAYS = "the gradient of {of} is taken with z, before the activation, where the layer's input is its output h"


def _ways(structure: Structure, names: Sequence[str]) -> list[Mistake]:
    behind = {i + 1 for i, _ in hidden(structure)}
    return [
        Mistake("weight", lambda run, i, right, d: d.mT @ run.pre[i - 1], SAYS.format(of=layer.weight), i)
        for i, layer in enumerate(structure.layers)
        if i in behind
    ]


activation_skipped = Fault(_ways)
