"""The same network written a second time, with torch's operations: its values, autograd's and central differences.

Every quantity q of the forward pass is a tensor whose value is that of the trace (the difference to what torch
computes from the quantities before it is an error of the line, and is added as a constant, so that a sum that is 0 in
fractions is 0 at the kink too), plus a nudge. With all nudges 0 this is the base; with one nudge ±ε it gives

    ∂a/∂q ≈ (a(q + ε) − a(q − ε)) / 2ε        of every a at once.

A nudge that moves a unit over the kink of its rectifier, or a margin over that of its hinge, says nothing of a slope.
"""

__all__ = ["Oracle", "Slopes", "consult", "differences"]

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from tenfold.teach.trace.network import Network

Known = Mapping[str, float]
"""Name -> the trace's value."""

Slopes = dict[tuple[str, str], float | None]
"""Names above and below -> derivative; None at a kink, NaN where rounding drowned it."""

EPSILON, DROWNED = torch.finfo(torch.float64).eps, 1e-6
NAME = re.compile(r"(\D+\d*)\[(\d+)(?:,(\d+))?\]")
ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda z: z,
    "leaky_relu": lambda z: functional.leaky_relu(z, 0.01),
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
}


class Oracle(NamedTuple):
    """What torch says of one sample. tensors: by stem ("z1"), parameters among them; offsets: trace − torch."""

    tensors: dict[str, Tensor]
    offsets: dict[str, Tensor]

    def value(self, name: str) -> float:
        """What torch computes for a quantity from the trace's values before it."""
        return float(_pick(self.tensors, name).detach() - _pick(self.offsets, name))

    def slopes(self, above: str, below: Sequence[str]) -> Slopes:
        """Autograd's derivatives of one quantity."""
        stems = list(dict.fromkeys(_stem(name) for name in below))
        inputs = [self.tensors[stem] for stem in stems]
        found = torch.autograd.grad(_pick(self.tensors, above), inputs, retain_graph=True, allow_unused=True)
        grads = {
            stem: torch.zeros_like(tensor) if grad is None else grad
            for stem, tensor, grad in zip(stems, inputs, found, strict=True)
        }
        return {(above, name): float(_pick(grads, name)) for name in below}


class _Pass(NamedTuple):
    """One way through the network: what is added to each quantity, and the sides of the kinks."""

    settle: Callable[[str, Tensor], Tensor]
    tensors: dict[str, Tensor]
    sides: list[Tensor]


def consult(network: Network, sample: int, parameters: Mapping[str, Tensor], known: Known) -> Oracle:
    """Forward at the trace's own values, with a graph for autograd. sample: its index; parameters: "w1" (O, I), …"""
    offsets: dict[str, Tensor] = {}

    def settle(stem: str, raw: Tensor) -> Tensor:
        names = [stem if stem in known else f"{stem}[{i + 1}]" for i in range(len(raw))]
        there = torch.tensor(
            [known.get(name, float(r)) for name, r in zip(names, raw.detach(), strict=True)], dtype=torch.float64
        )
        offsets[stem] = there - raw.detach()
        return raw + offsets[stem]

    way = _Pass(settle, dict(parameters), [])
    _forward(network, sample, way)
    return Oracle(way.tensors, offsets)


def differences(
    network: Network, sample: int, oracle: Oracle, ratios: Sequence[tuple[str, str]], step: float
) -> Slopes:
    """Central differences of all ratios, every nudge a row of one pass. step: of quantities up to 1, else relative."""
    below = list(dict.fromkeys(name for _, name in ratios))
    rows = {name: 2 * k for k, name in enumerate(below)}
    signed = torch.tensor([step, -step], dtype=torch.float64)
    nudged: dict[str, Tensor] = {}
    for stem in dict.fromkeys(_stem(name) for name in below):
        tensor = oracle.tensors[stem].detach()
        nudged[stem] = tensor.expand(2 * len(below), *tensor.shape).clone()
        for name in below:
            if _stem(name) == stem:
                size = max(1.0, abs(float(_pick(oracle.tensors, name).detach())))
                nudged[stem][_index(name, slice(rows[name], rows[name] + 2))] += signed * size
    apart = _apart(oracle, nudged, below, rows)
    parameters = {stem: nudged.get(stem, tensor.detach()) for stem, tensor in oracle.tensors.items() if stem[0] in "wb"}

    def settle(stem: str, raw: Tensor) -> Tensor:
        settled = raw + oracle.offsets[stem]
        return settled + (nudged[stem] - oracle.tensors[stem].detach()) if stem in nudged else settled

    way = _Pass(settle, parameters, [])
    _forward(network, sample, way)
    crossed = _crossed(way.sides, len(below))
    found: Slopes = {}
    for above, name in ratios:
        top = way.tensors[_stem(above)]
        pair = top[_index(above, slice(rows[name], rows[name] + 2))]
        k = rows[name] // 2
        base = abs(float(_pick(oracle.tensors, above).detach()))
        found[above, name] = None if crossed[k] else _slope(pair.tolist(), float(apart[k]), base)
    return found


def _slope(pair: Sequence[float], apart: float, base: float) -> float:
    """The slope between two values; NaN where their rounding is more than DROWNED of it, of `base` and of 1."""
    slope, rounding = (pair[0] - pair[1]) / apart, 2 * EPSILON * max(map(abs, pair)) / apart
    return slope if rounding <= DROWNED * max(1.0, abs(slope), base) and math.isfinite(slope) else math.nan


def _apart(oracle: Oracle, nudged: Mapping[str, Tensor], below: Sequence[str], rows: Mapping[str, int]) -> Tensor:
    """How far apart the two nudged values of each quantity really are in float64."""
    pairs = [nudged[_stem(name)][_index(name, slice(rows[name], rows[name] + 2))] for name in below]
    return torch.stack([pair[0] - pair[1] for pair in pairs])


def _crossed(sides: Sequence[Tensor], count: int) -> list[bool]:
    """Whether the two rows of a nudge lie on different sides of any kink."""
    found = torch.zeros(count, dtype=torch.bool)
    for side in sides:
        pairs = side.expand(2 * count, side.shape[-1]).reshape(count, 2, -1)
        found |= (pairs[:, 0] != pairs[:, 1]).any(-1)
    return [bool(one) for one in found]


def _forward(network: Network, sample: int, way: _Pass) -> None:
    """z = W h + b, h = φ(z), then the loss, each settled in turn."""
    example, depth = network.samples[sample], len(network.activations)
    h = torch.tensor([float(cell) for cell in example.x], dtype=torch.float64)
    for layer, activation in enumerate(network.activations, 1):
        z = (way.tensors[f"w{layer}"] * h.unsqueeze(-2)).sum(-1) + way.tensors[f"b{layer}"]
        last = "yhat" if network.regresses else f"z{depth}" if activation == "identity" else f"h{depth}"
        stem = last if layer == depth else f"h{layer}"
        if activation != "identity":
            z = way.tensors[f"z{layer}"] = way.settle(f"z{layer}", z)
            if "relu" in activation:
                way.sides.append(z.detach() > 0)
        h = way.tensors[stem] = way.settle(stem, ACTIVATIONS[activation](z))
    _losses(network, sample, h, way)


def _losses(network: Network, sample: int, out: Tensor, way: _Pass) -> None:
    """The loss by torch's own functions where it has them; "L" is (…, 1)."""
    example, label = network.samples[sample], network.samples[sample].label or 0
    if network.regresses:
        gap = (out - torch.tensor([float(cell) for cell in example.y], dtype=torch.float64)).square()
        loss = gap.sum(-1) / 2 if network.loss == "squared_error" else gap.mean(-1)
    elif network.loss == "softmax":
        _softmax_parts(out, way)
        loss = -functional.log_softmax(out, -1)[..., label]
    elif network.loss == "sigmoid":
        way.tensors["p"] = way.settle("p", torch.sigmoid(out))
        truth = torch.zeros_like(out)
        truth[..., label if out.shape[-1] > 1 else 0] = 1.0 if out.shape[-1] > 1 else float(label)
        loss = functional.binary_cross_entropy_with_logits(out, truth, reduction="none").mean(-1)
    else:
        loss = _margins(network.loss, out, label, way)
    way.tensors["L"] = way.settle("L", loss.unsqueeze(-1))


def _softmax_parts(out: Tensor, way: _Pass) -> None:
    way.tensors["e"] = way.settle("e", out.exp())
    way.tensors["S"] = way.settle("S", way.tensors["e"].sum(-1, keepdim=True))
    way.tensors["p"] = way.settle("p", out.softmax(-1))


def _margins(loss: str, out: Tensor, label: int, way: _Pass) -> Tensor:
    others = torch.arange(out.shape[-1]) != label
    if loss == "weston_watkins":
        margins = 1 + out - out[..., label : label + 1]
        # The right class has no margin of its own; its place keeps the others at their numbers.
        way.tensors["m"] = way.settle("m", margins)
        way.sides.append((way.tensors["m"].detach() > 0) & others)
        return torch.where(others, way.tensors["m"].relu(), 0.0).sum(-1)
    rivals = torch.where(others, out, -torch.inf)
    rival = rivals.detach().argmax(-1, keepdim=True)
    margin = 1 + rivals.gather(-1, rival) - out[..., label : label + 1]
    way.tensors["m"] = way.settle("m", margin)
    # A tie of two rivals is a kink as well.
    way.sides.extend([way.tensors["m"].detach() > 0, rival])
    return way.tensors["m"].relu().squeeze(-1)


def _stem(name: str) -> str:
    return name.partition("[")[0]


def _index(name: str, rows: slice | None = None) -> tuple[int | slice, ...]:
    """Where a quantity stands in the tensor of its stem; rows: of nudges, before it."""
    match = NAME.fullmatch(name)
    place = tuple(int(part) - 1 for part in match.groups()[1:] if part) if match else (0,)
    return place if rows is None else (rows, *place)


def _pick(tensors: Mapping[str, Tensor], name: str) -> Tensor:
    return tensors[_stem(name)][_index(name)]
