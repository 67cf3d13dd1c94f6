"""The only loop: a generator over states, one step each. What else a run does, its caller does between two yields.

A step is objective ∘ update. A member whose loss or gradient is not finite keeps the parameters from before that step.
"""

__all__ = ["StepResult", "health", "snapshot", "start", "train", "watched"]

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from tenfold.engine.machine import keep_freed
from tenfold.engine.types import Batch, Buffers, Grads, Optimizer, Params, Scalar, State, Value


class StepResult(NamedTuple):
    """A state, and the numbers that the step to it measured on its batch; both valid until the next step."""

    state: State
    value: Value


def start(params: Params, optimizer: Optimizer, buffers: Buffers | None = None) -> State:
    """Return the state before the first step, every slot of the optimizer's memory zero.

    params, buffers: name -> (P, ...).
    """
    first = next(iter(params.values()))
    memory = {
        f"{slot}/{name}": tensor.new_zeros(tensor.shape) for slot in optimizer.slots for name, tensor in params.items()
    }
    return State(0, params, buffers or {}, memory, torch.zeros(len(first), dtype=torch.int64, device=first.device))


def snapshot(state: State) -> State:
    """Return a copy that later steps leave alone."""
    params, buffers, memory = ({name: tensor.clone() for name, tensor in group.items()} for group in state[1:4])
    return State(state.step, params, buffers, memory, state.status.clone())


def train(
    objective: Callable[[Params, Buffers, Batch], tuple[Value, Grads, Buffers]],
    optimizer: Optimizer,
    rate: Callable[[int], Scalar],
    batches: Callable[[int], Batch],
    state: State,
    steps: int,
) -> Iterator[StepResult]:
    """Take updates state.step … steps − 1, yielding after each.

    rate(t) and batches(t): learning rate (a number or (P,)) and batch of update t. The given state is cloned, once; the
    copy is changed in place. A caller stops a member by writing the step into the yielded `state.status`. Ends early
    when no member is active.
    """
    keep_freed()
    state = snapshot(state)
    names = watched(state.params)
    halted = _halted(state)
    for t in range(state.step, steps):
        value, grads, buffers = objective(state.params, state.buffers, batches(t))
        signs = health(value, grads, names)
        if math.isfinite(signs.sum().item()) and not state.status.any().item():
            optimizer.update(state.params, grads, state.memory, rate(t), t)
        elif bool((state.status == 0).any()):
            state.status[(state.status == 0) & ~signs.isfinite()] = -(t + 1)
            if not torch.equal(state.status, halted.status):
                halted = _halted(state)
            optimizer.update(state.params, grads, state.memory, rate(t), t)
            halted.restore(buffers)
        else:
            return
        state = State(t + 1, state.params, buffers, state.memory, state.status)
        yield StepResult(state, value)


def watched(params: Params) -> list[str]:
    """Return the gradients in which all that is not finite shows: the first layer's bias, and later layers' weights.

    A bias gradient is the sum over the batch of its layer's score gradients, and what is not finite in a later layer's
    travels back to the first. Weight gradients can overflow by themselves, but for the first layer's, whose inputs are
    plain numbers; that is by far the largest tensor, and is spared, unless its layer has no bias.
    """
    layer = next(iter(params)).rpartition(".")[0]
    first = [name for name in params if name.rpartition(".")[0] == layer]
    later = [name for name in params if name not in first and name.endswith("weight")]
    return [name for name in first if not name.endswith("weight")] + later if len(first) > 1 else first + later


def health(value: Value, grads: Grads, names: Sequence[str]) -> Tensor:
    """Return a number for each member (P,), finite if its loss, penalty and named gradients are: their plain sum."""
    total = value.loss + value.penalty
    for name in names:
        total = total + grads[name].flatten(1).sum(1)
    return total


class _Halted(NamedTuple):
    """Members that take no more steps, as they are: an update of all members changes these, too, and is taken back."""

    status: Tensor
    rows: Tensor
    kept: list[tuple[Tensor, Tensor]]
    buffers: Buffers

    def restore(self, buffers: Buffers) -> None:
        """Give the halted members back the very bits that they had. buffers: those after the update."""
        for tensor, before in self.kept:
            tensor[self.rows] = before
        for name, before in self.buffers.items():
            buffers[name][self.rows] = before


def _halted(state: State) -> _Halted:
    rows = state.status.nonzero()[:, 0]
    tensors = (*state.params.values(), *state.memory.values()) if len(rows) else ()
    buffers = {name: tensor[rows] for name, tensor in state.buffers.items() if len(rows)}
    return _Halted(state.status.clone(), rows, [(tensor, tensor[rows]) for tensor in tensors], buffers)
