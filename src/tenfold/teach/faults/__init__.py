"""Faults of a gradient: a file each, with its ways of happening and a tutor's sentence; what they share is here.

`ways(structure, names)`: in a network of that structure, or at whole gradients alone where its loss is "".
"""

__all__ = ["FORMULAS", "changed", "factor_fault", "gradient_of", "groups", "hidden", "multiplied", "penalty_fault"]

from collections.abc import Callable, Sequence

from torch import Tensor

from tenfold.engine.types import Grads
from tenfold.teach.doctor.backward import Blocks, Fault, Mistake, Pass, Structure, penalized, penalty_gradient

Factor = Callable[[Pass], float]

FORMULAS: dict[str, tuple[str, Callable[[Tensor], Tensor]]] = {
    "sigmoid": ("h(1 − h)", lambda h: h * (1 - h)),
    "tanh": ("1 − h²", lambda h: 1 - h * h),
}
"""Derivatives of activations written in their output h."""


def factor_fault(*kinds: tuple[str, Factor], losses: Sequence[str] = ()) -> Fault:
    """Declare a fault that multiplies gradients: those of the scores, of all blocks, or of one.

    kinds: sentences with {of}, and factors. losses: the only ones that it befalls, where the loss is recognized.
    """

    def ways(structure: Structure, names: Blocks) -> list[Mistake]:
        if losses and structure.loss not in ("", *losses):
            return []
        return [way for says, factor in kinds for way in multiplied(names, factor, says)]

    return Fault(ways)


def multiplied(names: Blocks, factor: Factor, says: str) -> list[Mistake]:
    """Multiply the scores' gradient, all gradients, or those of one block. says: a sentence with {of}."""
    scores = Mistake("scores", lambda run, layer, right: right * factor(run), says.format(of="the scores' gradient"))
    return [scores, *(_times(group, factor, says, len(group) == len(names)) for group in groups(names))]


def _times(group: Blocks, factor: Factor, says: str, everything: bool) -> Mistake:
    def change(run: Pass, grads: Grads) -> Grads:
        return grads | {name: grads[name] * factor(run) for name in group}

    of = "the gradient" if everything else gradient_of(group)
    # An error in one block alone may have a likelier cause in that block.
    return Mistake("whole", change, says.format(of=of), rank=0 if everything else 2)


def groups(*several: Blocks) -> list[tuple[str, ...]]:
    """Return the given groups of blocks, then each of their blocks alone; none is empty, none comes twice.

    >>> groups(["W"], ["W", "b"])
    [('W',), ('W', 'b'), ('b',)]
    """
    alone = ((name,) for group in several for name in group)
    return [group for group in dict.fromkeys([*map(tuple, several), *alone]) if group]


def hidden(structure: Structure) -> list[tuple[int, str]]:
    """Return position and activation of the layers that have one behind them."""
    words = [(i, structure.activation_of(i)) for i in range(len(structure.layers))]
    return [(i, word) for i, word in words if word != "identity"]


def penalty_fault(says: str, times: Factor, penalties: Sequence[str] = ("", "l2", "l2 and biases", "l1")) -> Fault:
    """Declare a fault that adds the penalty's gradient so many times more, in all its blocks or in one.

    says: a sentence with {of} and {grad}. penalties: those that it befalls, "" for that of an unrecognized function.
    """

    def ways(structure: Structure, names: Blocks) -> list[Mistake]:
        if structure.penalty not in penalties or (structure.loss and not structure.penalty):
            return []
        blocks = [name for name in penalized(structure) if name in names] if structure.loss else names
        return [changed(group, times, says) for group in groups(blocks)]

    return Fault(ways)


def _matrices(run: Pass, name: str) -> bool:
    """Judge whether a block may hold a penalty: any of a recognized function, of others those of several rows."""
    return bool(run.structure.layers) or run.params[name].dim() > 1


def changed(group: Blocks, times: Factor, says: str, held: Callable[[Pass, str], bool] = _matrices) -> Mistake:
    """Add what a penalty gives some blocks, so many times. held: which of them may hold one."""

    def blocks(run: Pass) -> list[str]:
        return [name for name in group if name in run.params and held(run, name)]

    def change(run: Pass, grads: Grads) -> Grads:
        return grads | {name: grads[name] + times(run) * penalty_gradient(run, name) for name in blocks(run)}

    def sentence(run: Pass) -> str:
        grad = f"{run.strength:.4g}·sign W" if run.structure.penalty == "l1" else f"{2 * run.strength:.4g}·W"
        return says.format(of=gradient_of(blocks(run)), grad=grad)

    return Mistake("whole", change, sentence)


def gradient_of(names: Blocks) -> str:
    """Return what sentences call the gradient of some blocks."""
    return f"the gradient of {', '.join(names)}"
