"""Faults of a gradient: a file each, the ways in which it happens and what a tutor would say; what they share is here.

`ways(structure, names)`: in a network of that structure, or at whole gradients alone where there is None.
"""

__all__ = ["changed", "hidden", "multiplied", "penalty"]

from collections.abc import Callable, Sequence

from tenfold.engine.types import Grads
from tenfold.teach.doctor.backward import Pass, Structure, Way, penalized, penalty_gradient


def multiplied(names: Sequence[str], factor: Callable[[Pass], float], says: str) -> list[Way]:
    """All gradients, or those of one block, times a factor. says: a sentence with {of}, of what."""
    groups = [tuple(names), *((name,) for name in names if len(names) > 1)]
    return [_times(group, factor, says, len(group) == len(names)) for group in groups]


def _times(group: Sequence[str], factor: Callable[[Pass], float], says: str, everything: bool) -> Way:
    def change(known: Pass, grads: Grads) -> Grads:
        return {name: grad * factor(known) if name in group else grad for name, grad in grads.items()}

    of = "the gradient" if everything else f"the gradient of {', '.join(group)}"
    # What befalls one block alone may have a likelier cause in that block.
    return Way("whole", change, says.format(of=of), rank=0 if everything else 2)


def hidden(structure: Structure | None) -> list[tuple[int, str]]:
    """Layers with an activation behind them: position and the activation's word."""
    if structure is None:
        return []
    last = len(structure.layers) - 1
    words = [(i, structure.output if i == last else structure.activation) for i in range(last + 1)]
    return [(i, word) for i, word in words if word != "identity"]


def penalty(structure: Structure | None, names: Sequence[str], times: Callable[[Pass], float], says: str) -> list[Way]:
    """The penalty's gradient more or fewer times, in all its blocks or in one. says: with {of} and {grad}."""
    if structure is not None and not structure.penalty:
        return []
    blocks = [name for name in penalized(structure) if name in names] if structure else list(names)
    groups = [blocks, *([name] for name in blocks if len(blocks) > 1)] if blocks else []
    return [changed(group, times, says) for group in groups]


def changed(group: Sequence[str], times: Callable[[Pass], float], says: str) -> Way:
    """What a penalty would give some blocks, so many times more; matrices alone where nothing is recognized."""

    def change(known: Pass, grads: Grads) -> Grads:
        return grads | {name: grads[name] + times(known) * penalty_gradient(known, name) for name in own(known)}

    def own(known: Pass) -> list[str]:
        there = [name for name in group if name in known.params]
        return there if known.structure.layers else [name for name in there if known.params[name].dim() > 1]

    def sentence(known: Pass) -> str:
        strength = known.structure.strength or known.fitted
        grad = f"{strength:.4g}·sign W" if known.structure.penalty == "l1" else f"{2 * strength:.4g}·W"
        return says.format(of=f"the gradient of {', '.join(own(known))}", grad=grad)

    return Way("whole", change, sentence)
