"""The gradient is clipped before it is returned, by its norm or entry by entry: that is the optimizer's work."""

__all__ = ["clipped"]

from collections.abc import Sequence

import torch
from torch import Tensor

from tenfold.engine.types import Grads
from tenfold.teach.doctor.backward import Fault, Pass, Structure, Way

NORM = "{of} is clipped to the norm {bound:.4g}: that belongs between gradient and update, not into the gradient"
VALUE = "{of} is clipped to ±{bound:.4g} entry by entry: that belongs between gradient and update"

EARLY = "the scores' gradient is clipped entry by entry, on its way to everything else: clip what goes into the update"


def _ways(structure: Structure | None, names: Sequence[str]) -> list[Way]:
    weights = [layer.weight for layer in structure.layers if layer.weight in names] if structure else []
    groups = [tuple(names), tuple(weights), *((name,) for name in names)]
    groups = [group for k, group in enumerate(groups) if group and group not in groups[:k]]
    alone = [_by_norm(group, group) for group in groups]
    of_one = [_by_norm(group, tuple(names)) for group in groups[1:]]
    scores = (
        [Way("scores", _early, EARLY, rank=1)] if structure and structure.layers and structure.layers[-1].bias else []
    )
    return [*alone, *of_one, _each_by_norm(names), *(_by_value(group) for group in groups), *scores]


def _by_norm(measured: Sequence[str], scaled: Sequence[str]) -> Way:
    """Blocks scaled by what brings the norm of some of them to the bound."""

    def change(known: Pass, grads: Grads) -> Grads:
        factor = min(1.0, _largest(known, measured) / max(_norm(grads, measured), 1e-300))
        return grads | {name: grads[name] * factor for name in scaled}

    def sentence(known: Pass) -> str:
        of = f"the gradient of {', '.join(measured)}"
        return NORM.format(of=of, bound=_largest(known, measured))

    return Way("whole", change, sentence, rank=1)


def _each_by_norm(names: Sequence[str]) -> Way:
    """Every block by a norm of its own, with one bound for all."""

    def change(known: Pass, grads: Grads) -> Grads:
        bound = max(_largest(known, [name]) for name in names)
        return grads | {name: grads[name] * min(1.0, bound / max(_norm(grads, [name]), 1e-300)) for name in names}

    def sentence(known: Pass) -> str:
        return NORM.format(of="every block's gradient", bound=max(_largest(known, [name]) for name in names))

    return Way("whole", change, sentence, rank=1)


def _by_value(names: Sequence[str]) -> Way:
    def bound(known: Pass) -> float:
        return max(float(grads[name].abs().max()) for grads in known.claimed for name in names)

    def change(known: Pass, grads: Grads) -> Grads:
        return grads | {name: grads[name].clamp(-bound(known), bound(known)) for name in names}

    return Way(
        "whole",
        change,
        lambda known: VALUE.format(of=f"the gradient of {', '.join(names)}", bound=bound(known)),
        rank=1,
    )


def _early(known: Pass, layer: int, right: Tensor) -> Tensor:
    """The scores' gradient clipped to ±c, the c that the last bias's gradient tells: Σ_B clip(d, ±c) of a class."""
    returned = known.claimed[0][known.structure.layers[-1].bias].flatten()
    for k in range(known.classes):
        column = right[:, k].abs().sort().values
        for bound in column.tolist():
            inside = right[:, k].abs() < bound
            signs = right[~inside, k].sign().sum()
            c = float((returned[k] - right[inside, k].sum()) / signs) if signs else 0.0
            if c > 0 and torch.allclose(right.clamp(-c, c).sum(0), returned, rtol=1e-6):
                return right.clamp(-c, c)
    return right


def _largest(known: Pass, names: Sequence[str]) -> float:
    """The bound shows in the largest norm of what was returned."""
    return max(_norm(grads, names) for grads in known.claimed)


def _norm(grads: Grads, names: Sequence[str]) -> float:
    return float(torch.stack([grads[name].nan_to_num().square().sum() for name in names]).sum().sqrt())


clipped = Fault(_ways)
