"""Training by several processes: each computes the gradient of its share of every batch.

The first process leads: it alone reads data, decides, takes steps, validates and writes. For every update it sends the
others the parameters and the batch, and adds up all gradients. With L_r the mean loss of the b_r images of process r,

    L = Σ_r (b_r / B) L_r        ∂L/∂w = Σ_r (b_r / B) ∂L_r/∂w

Statistics of batch normalization are of all B images. So nothing but the order of sums depends on the number of
processes. Source: torch.distributed; gloo between processors, NCCL where each process has a GPU of its own.
"""

__all__ = ["END", "STEP", "TASK", "Team", "check_share", "current", "join", "share_of", "together", "using"]

import importlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from tenfold.engine.objective import Objective
from tenfold.engine.types import Batch, Buffers, Grads, Params, Value
from tenfold.errors import LostError, UsageError

END = 0
TASK = 1
STEP = 2
"""Kinds of messages: no more follow; make this population; take part in a step."""
# Tensors in a message begin at multiples of so many bytes, as any number format wants.
ALIGNMENT = 16


class Message(NamedTuple):
    """A message of the leading process. text: what is to be done; tensors: what it is to be done with, by name."""

    kind: int
    text: str
    tensors: dict[str, Tensor]


@dataclass
class Team:
    """The processes that train together. rank: number of this one, 0 leads; size: how many there are.

    device: where this one computes. wire: where tensors are handed over. task, layout: the last that were sent.
    in_step: whether all processes compute, so that they can be asked for sums.
    """

    rank: int
    size: int
    device: torch.device
    wire: torch.device
    task: str = ""
    layout: str = ""
    in_step: bool = False

    def send(self, kind: int, text: str = "", tensors: Mapping[str, Tensor] | None = None) -> None:
        """Send the followers a message; one without a text has that of the message before it."""
        flat = _packed(tensors).to(self.wire) if tensors else torch.zeros(0, dtype=torch.uint8)
        written = text.encode()
        self._broadcast(torch.tensor([kind, len(written), len(flat)]))
        if written:
            self._broadcast(torch.frombuffer(bytearray(written), dtype=torch.uint8))
        if len(flat):
            self._broadcast(flat)

    def receive(self) -> Message:
        """Wait for the next message of the leading process."""
        header = torch.zeros(3, dtype=torch.int64)
        self._broadcast(header)
        kind, letters, size = header.tolist()
        text = torch.zeros(letters, dtype=torch.uint8)
        if letters:
            self._broadcast(text)
        flat = torch.zeros(size, dtype=torch.uint8, device=self.wire)
        if size:
            self._broadcast(flat)
        if kind == STEP and letters:
            self.layout = bytes(text.tolist()).decode()
        tensors = _unpacked(flat.to(self.device), self.layout) if kind == STEP else {}
        return Message(kind, bytes(text.tolist()).decode(), tensors)

    def total(self, tensor: Tensor) -> Tensor:
        """Return the sum of a tensor over all processes, in each of them."""
        summed = tensor.to(self.wire, copy=True)
        self._call("all_reduce", summed)
        return summed.to(tensor.device)

    def each(self, tensor: Tensor) -> Tensor:
        """Return the tensors of all processes, (size, …), in each of them."""
        mine = tensor.to(self.wire)
        gathered = [torch.empty_like(mine) for _ in range(self.size)]
        self._call("all_gather", gathered, mine)
        return torch.stack(gathered).to(tensor.device)

    def added(self, value: Value, grads: Grads, share: float) -> tuple[Value, Grads]:
        """Return in the leading process the numbers and gradients of the whole batch. share: of this process in it."""
        parts = [value.loss, value.penalty, value.accuracy * share, *grads.values()]
        flat = torch.cat([part.reshape(-1) for part in parts]).to(self.wire)
        self._call("reduce", flat, 0)
        split = torch.split(flat.to(self.device), [part.numel() for part in parts])
        pieces = [piece.view(part.shape) for piece, part in zip(split, parts, strict=True)]
        return Value(*pieces[:3]), dict(zip(grads, pieces[3:], strict=True))

    @contextmanager
    def stepping(self) -> Iterator[None]:
        """Inside the block all processes compute the same step."""
        self.in_step = True
        try:
            yield
        finally:
            self.in_step = False

    def leave(self) -> None:
        """Let the followers go, and the connection; of those that are gone already, nothing is said."""
        if self.rank == 0:
            with suppress(LostError):
                self.send(END)
        _distributed().destroy_process_group()

    def _broadcast(self, tensor: Tensor) -> None:
        self._call("broadcast", tensor, 0)

    def _call(self, name: str, *arguments: Any) -> None:
        try:
            getattr(_distributed(), name)(*arguments)
        except RuntimeError:
            raise LostError(f"one of the {self.size} processes that train together has ended") from None


_group: ContextVar[Team | None] = ContextVar("group", default=None)


def current() -> Team | None:
    """Return the group that this process trains in, None where it is alone."""
    return _group.get()


@contextmanager
def using(group: Team) -> Iterator[None]:
    """Train in a group inside the block."""
    token = _group.set(group)
    try:
        yield
    finally:
        _group.reset(token)


def join() -> Team:
    """Meet the other processes that torchrun started, by the addresses that it put into the environment."""
    place, neighbors = int(os.environ["LOCAL_RANK"]), int(os.environ["LOCAL_WORLD_SIZE"])
    own_gpu = torch.cuda.device_count() >= neighbors
    if torch.cuda.is_available():
        torch.cuda.set_device(place % torch.cuda.device_count())
    distributed = _distributed()
    distributed.init_process_group("cpu:gloo,cuda:nccl" if own_gpu else "gloo")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    wire = device if own_gpu else torch.device("cpu")
    return Team(distributed.get_rank(), distributed.get_world_size(), device, wire)


def check_share(images: int) -> None:
    """Refuse batches of so few images that some process would have none. Raises UsageError."""
    group = current()
    if group and images < group.size:
        raise UsageError(
            f"a batch of {images:,} cannot be shared by {group.size:,} processes: start fewer, or choose a larger "
            "--batch-size where there are more images"
        )


def together(objective: Objective, task: Callable[[], str]) -> Objective:
    """Return an objective that all processes of the group compute; the same one where there is no group.

    task: returns the text by which a follower makes the same population. A last batch with fewer images than processes
    is left to the leading one.
    """
    group = current()
    if group is None:
        return objective
    text, size = task(), group.size

    def shared(params: Params, buffers: Buffers, batch: Batch) -> tuple[Value, Grads, Buffers]:
        if len(batch.targets) < size:
            return objective(params, buffers, batch)
        _announce(group, text, params, buffers, batch)
        mine = share_of(batch, 0, size)
        with group.stepping():
            value, grads, buffers = objective(params, buffers, mine)
        ordered = {name: grads[name] for name in params}  # layers give theirs in any order
        return *group.added(value, ordered, len(mine.targets) / len(batch.targets)), buffers

    return shared


def share_of(batch: Batch, rank: int, size: int) -> Batch:
    """Return the images of a batch that a process takes, weighed by their share of it."""
    images = len(batch.targets)
    mine = slice(rank * images // size, (rank + 1) * images // size)

    def cut(tensor: Tensor) -> Tensor:  # mirror images lie behind the images
        return torch.cat([half[mine] for half in torch.split(tensor, images)])

    share = (mine.stop - mine.start) / images
    return Batch(
        cut(batch.inputs),
        batch.targets[mine],
        (batch.weight[mine] if isinstance(batch.weight, Tensor) else batch.weight) * share,
        {name: cut(draws) for name, draws in batch.noise.items()},
        None if batch.mirrored is None else batch.mirrored[:, mine],
        None if batch.partners is None else batch.partners[mine],
        batch.share,
    )


def _announce(group: Team, task: str, params: Params, buffers: Buffers, batch: Batch) -> None:
    """Send the followers what they need for a step, and before it the population where it is another one."""
    if task != group.task:
        group.send(TASK, task)
        group.task, group.layout = task, ""
    groups = {"params": params, "buffers": buffers, "noise": batch.noise}
    tensors = {f"{kind}/{name}": t for kind, named in groups.items() for name, t in named.items()}
    fields = {name: getattr(batch, name) for name in ("inputs", "targets", "weight", "mirrored", "partners")}
    tensors |= {f"batch/{name}": field for name, field in fields.items() if isinstance(field, Tensor)}
    numbers = {"share": batch.share} | ({} if isinstance(batch.weight, Tensor) else {"weight": batch.weight})
    entries = {name: [str(t.dtype).removeprefix("torch."), list(t.shape)] for name, t in tensors.items()}
    layout = json.dumps({"numbers": numbers, "tensors": entries})
    group.send(STEP, "" if layout == group.layout else layout, tensors)
    group.layout = layout


def _packed(tensors: Mapping[str, Tensor]) -> Tensor:
    """Return the bytes of tensors, one after another."""
    pieces = []
    for tensor in tensors.values():
        plain = tensor.contiguous().reshape(-1).view(torch.uint8)
        pieces += [plain, plain.new_zeros(-len(plain) % ALIGNMENT)]
    return torch.cat(pieces)


def _unpacked(flat: Tensor, layout: str) -> dict[str, Tensor]:
    """Return the tensors that a layout describes, as views of the bytes."""
    tensors, start = {}, 0
    for name, (word, shape) in json.loads(layout)["tensors"].items():
        dtype = getattr(torch, word)
        size = torch.Size(shape).numel() * dtype.itemsize
        tensors[name] = flat[start : start + size].view(dtype).view(shape)
        start += size + -size % ALIGNMENT
    return tensors


def _distributed() -> Any:
    return importlib.import_module("torch.distributed")
