"""What a task gives the loop, the cost of a batch with its gradient; the penalty's part of both, which tasks share."""

__all__ = ["Objective", "penalize"]

from collections.abc import Callable

from torch import Tensor

from tenfold.engine.penalties import l1 as l1_penalty
from tenfold.engine.penalties import l2 as l2_penalty
from tenfold.engine.types import Batch, Buffers, Grads, Params, Scalar, Value

Objective = Callable[[Params, Buffers, Batch], tuple[Value, Grads, Buffers]]
"""`value, grads, buffers = objective(params, buffers, batch)`."""


def penalize(params: Params, grads: Grads, l1: Scalar, l2: Scalar) -> Tensor:
    """Penalty (P,) on the tensors named weight; their gradients are added to grads in place."""
    first = next(iter(params.values()))
    total = first.new_zeros(len(first))
    for strength, penalty in ((l1, l1_penalty), (l2, l2_penalty)):
        if isinstance(strength, Tensor) or strength:
            for name in params:
                if name.endswith("weight"):
                    total += penalty(params[name], strength, grads[name])
    return total
