"""A penalty's derivatives are summed up: 2ΣW, one number, where ‖W‖² has the gradient 2W, an entry a weight."""

__all__ = ["penalty_summed"]

from torch import Tensor

from tenfold.teach.doctor.backward import Blocks, Fault, Mistake, Pass, Structure
from tenfold.teach.faults import gradient_of, on_blocks, penalty_fault

SAYS = "the penalty's {grad} is summed up in {of}: every weight is given the sum of {over}, not its own derivative"
ALONE = "{of} is summed up: every entry is the sum of all derivatives, as 2ΣW is for 2W"
OVER = {"all": (0, 1), "its column": (0,), "its row": (1,)}


def _kind(over: str) -> Fault:
    def more(run: Pass, right: Tensor) -> Tensor:
        axes = [axis for axis in OVER[over] if axis < right.dim()]
        return right.sum(axes, keepdim=True) - right

    return penalty_fault(SAYS.replace("{over}", over), more, ("l2", "l2 and biases", "l1"))


@Fault
def penalty_summed(structure: Structure, names: Blocks) -> list[Mistake]:
    """List the blocks of a penalty, or of a function that may be one itself."""
    alone = [
        on_blocks([name], lambda run, grad, of=name: _total(run, grad, of), ALONE.format(of=gradient_of([name])))
        for name in names
    ]
    return [way for over in OVER for way in _kind(over).ways(structure, names)] if structure.loss else alone


def _total(run: Pass, right: Tensor, name: str) -> Tensor:
    """Sum up a gradient; entries whose slope was not taken are what those of W tell, where it is a multiple of W."""
    w, seen = run.params.get(name, right), ~right.isnan()
    if seen.all():
        return right.sum().expand_as(right)
    return (right[seen] @ w[seen] / w[seen].square().sum() * w.sum()).expand_as(right)
