"""The gradient is clipped before it is returned, by its norm or entry by entry: that is the optimizer's work."""

__all__ = ["clipped"]

from collections.abc import Sequence

import torch
from torch import Tensor

from tenfold.engine.types import Grads
from tenfold.teach.doctor.backward import Blocks, Fault, Mistake, Pass, Structure
from tenfold.teach.faults import gradient_of, groups, on_blocks

NORM = "{of} is clipped to the norm {bound:.4g}: that belongs between gradient and update, not into the gradient"
VALUE = "{of} is clipped to ±{bound:.4g} entry by entry: that belongs between gradient and update"
EARLY = "the scores' gradient is clipped entry by entry, on its way to everything else: clip what goes into the update"


@Fault
def clipped(structure: Structure, names: Blocks) -> list[Mistake]:
    """List the groups of blocks that may be clipped, and the scores' gradient."""
    kinds = groups(names, [layer.weight for layer in structure.layers if layer.weight in names])
    alone = [_by_norm([(group, group)], gradient_of(group)) for group in kinds]
    with_others = [_by_norm([(group, names)], gradient_of(group)) for group in kinds[1:]]
    each = _by_norm([([name], [name]) for name in names], "every block's gradient")
    early = [Mistake("scores", _early, EARLY, rank=1)] if structure.layers and structure.layers[-1].bias else []
    return [*alone, *with_others, each, *map(_by_value, kinds), *early]


def _by_norm(parts: Sequence[tuple[Blocks, Blocks]], of: str) -> Mistake:
    """Scale blocks by what brings the norm of some to a bound. parts: blocks whose norm counts, those scaled by it."""

    def bound(run: Pass) -> float:
        # It shows in the largest norm of what was returned.
        return max(_norm(grads, measured) for grads in run.claimed for measured, _ in parts)

    def change(run: Pass, layer: int, grads: Grads) -> Grads:
        factors = [(min(1.0, bound(run) / max(_norm(grads, measured), 1e-300)), scaled) for measured, scaled in parts]
        return grads | {name: grads[name] * factor for factor, scaled in factors for name in scaled}

    return Mistake("whole", change, lambda run: NORM.format(of=of, bound=bound(run)), rank=1)


def _by_value(names: Blocks) -> Mistake:
    def bound(run: Pass) -> float:
        return max(float(grads[name].abs().max()) for grads in run.claimed for name in names)

    def clamped(run: Pass, grad: Tensor) -> Tensor:
        return grad.clamp(-bound(run), bound(run))

    of = gradient_of(names)
    return on_blocks(names, clamped, lambda run: VALUE.format(of=of, bound=bound(run)), 1)


def _early(run: Pass, layer: int, right: Tensor) -> Tensor:
    """Clip the scores' gradient to ±c, the c that the last bias's gradient tells: Σ_B clip(d, ±c) of a class."""
    returned = run.claimed[0][run.structure.layers[-1].bias].flatten()
    for column, total in zip(right.mT, returned, strict=True):
        for bound in column.abs().sort().values.tolist():
            inside = column.abs() < bound
            signs = column[~inside].sign().sum()
            c = float((total - column[inside].sum()) / signs) if signs else 0.0
            if c > 0 and torch.allclose(right.clamp(-c, c).sum(0), returned, rtol=1e-6):
                return right.clamp(-c, c)
    return right


def _norm(grads: Grads, names: Blocks) -> float:
    return float(torch.stack([grads[name].nan_to_num().square().sum() for name in names]).sum().sqrt())
