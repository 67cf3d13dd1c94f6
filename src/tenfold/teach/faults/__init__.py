"""Faults of a gradient: a file each, with its ways of happening and a tutor's sentence; what they share is here.

`ways(structure, names)`: in a network of that structure, or at whole gradients alone where its loss is "".
"""

__all__ = ["FORMULAS", "changed", "factor_fault", "gradient_of", "groups", "multiplied", "on_blocks", "penalty_fault"]

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from tenfold.engine.types import Grads
from tenfold.teach.doctor.backward import Blocks, Change, Fault, Mistake, Pass, Structure

Factor = Callable[[Pass], float]
More = Callable[[Pass, Tensor], Tensor]  # than the penalty's right gradient, which is given
PENALTIES = ("", "l2", "l2 and biases", "l1")
FORMULAS: dict[str, tuple[str, Callable[[Tensor], Tensor]]] = {  # derivatives, written in an activation's output h
    "sigmoid": ("h(1 − h)", lambda h: h * (1 - h)),
    "tanh": ("1 − h²", lambda h: 1 - h * h),
}


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
    ways = [Mistake("scores", lambda run, layer, right: right * factor(run), says.format(of="the scores' gradient"))]
    for group in groups(names):
        everything = len(group) == len(names)
        sentence = says.format(of="the gradient" if everything else gradient_of(group))
        # An error in one block alone may have a likelier cause in that block.
        ways.append(on_blocks(group, lambda run, grad: grad * factor(run), sentence, 0 if everything else 2))
    return ways


def on_blocks(group: Blocks, change: Change, says: str | Callable[[Pass], str], rank: int = 0) -> Mistake:
    """Change the whole gradients of some blocks, one by one: `change(pass, gradient) -> wrong`."""

    def every(run: Pass, layer: int, grads: Grads) -> Grads:
        return grads | {name: change(run, grads[name]) for name in group}

    return Mistake("whole", every, says, rank=rank)


def groups(*several: Blocks) -> list[tuple[str, ...]]:
    """Return the given groups of blocks, then each of their blocks alone; none is empty, none comes twice.

    >>> groups(["W"], ["W", "b"])
    [('W',), ('W', 'b'), ('b',)]
    """
    alone = ((name,) for group in several for name in group)
    return [group for group in dict.fromkeys([*map(tuple, several), *alone]) if group]


def penalty_fault(
    says: str, *more: More, penalties: Sequence[str] = PENALTIES, on_biases: bool = False, alone: str = ""
) -> Fault:
    """Declare a fault in the penalty's gradient, to which it adds something, in all its blocks or in one.

    says: a sentence with {of} and {grad}; alone: one with {of}, for a function that may be nothing but a penalty.
    penalties: those that it befalls, "" for that of an unrecognized function. on_biases: what it befalls are biases,
    which the penalty is not on.
    """

    def ways(structure: Structure, names: Blocks) -> list[Mistake]:
        if alone and not structure.loss:
            return [_of_penalty(name, add, alone) for add in more for name in names]
        if structure.penalty not in penalties or (structure.loss and not structure.penalty):
            return []
        places = [layer.bias for layer in structure.layers] if on_biases else structure.penalized()
        blocks = [name for name in places if name in names] if structure.loss else names
        return [changed(group, add, says, on_biases) for add in more for group in groups(blocks)]

    return Fault(ways)


def _of_penalty(name: str, more: More, says: str) -> Mistake:
    def change(run: Pass, right: Tensor) -> Tensor:
        seen, w = ~right.isnan(), run.params.get(name, right)
        multiple = right[seen] @ w[seen] / w[seen].square().sum() * w
        # Where it is 2λW at all entries whose slope was taken, it is that at the others too.
        right = multiple if torch.allclose(multiple[seen], right[seen], rtol=1e-6) else right
        return right + more(run, right)

    return on_blocks([name], change, says.format(of=gradient_of([name])))


def changed(group: Blocks, more: More, says: str, on_biases: bool = False) -> Mistake:
    """Add to a penalty's gradient in some blocks; of a function that is not recognized, matrices or biases."""

    def blocks(run: Pass) -> list[str]:
        wide = {name: (block.squeeze() if on_biases else block).dim() > 1 for name, block in run.params.items()}
        return [name for name in group if name in wide and (run.structure.layers or wide[name] != on_biases)]

    def change(run: Pass, layer: int, grads: Grads) -> Grads:
        return grads | {name: grads[name] + more(run, run.penalty_gradient(name)) for name in blocks(run)}

    def sentence(run: Pass) -> str:
        strength = run.structure.strength
        grad = f"{strength:.4g}·sign W" if run.structure.penalty == "l1" else f"{2 * strength:.4g}·W"
        return says.format(of=gradient_of(blocks(run)), grad=grad)

    return Mistake("whole", change, sentence)


def gradient_of(names: Blocks) -> str:
    """Return what sentences call the gradient of some blocks."""
    return f"the gradient of {', '.join(names)}"
