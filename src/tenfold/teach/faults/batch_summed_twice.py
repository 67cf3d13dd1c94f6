"""The batch is summed over twice: N ∂L/∂b for ∂L/∂b, or (Σ_B ∂L/∂z)ᵀ (Σ_B h) for Σ_B ∂L/∂zᵀ h."""

__all__ = ["batch_summed_twice"]

from collections.abc import Sequence

from torch import Tensor

from tenfold.teach.doctor.backward import Fault, Pass, Structure, Way

BIAS = "the gradient of {of} is summed over the batch twice: it is N times too large"
WEIGHT = "the batch is summed over twice in the gradient of {of}: {what}"
OUTER = "it is the product of two sums over the images, not the sum of their products"


def _ways(structure: Structure | None, names: Sequence[str]) -> list[Way]:
    layers = structure.layers if structure else ()
    ways = [way for i, layer in enumerate(layers) for way in _at(i, layer.weight, layer.bias or "the bias")]
    return [*ways, *_at(-1, "all weights", "all biases")] if len(layers) > 1 else ways


def _at(layer: int, weight: str, bias: str) -> list[Way]:
    says = WEIGHT.format(of=weight, what=OUTER)
    again = Way("bias", _again, BIAS.format(of=bias), layer, rank=1)
    return [again, Way("weight", _outer, says, layer), Way("weight", _means, says, layer)]


def _again(known: Pass, layer: int, right: Tensor, d: Tensor) -> Tensor:
    return right * known.images


def _outer(known: Pass, layer: int, right: Tensor, d: Tensor) -> Tensor:
    return d.sum(0)[:, None] * known.post[layer].sum(0)


def _means(known: Pass, layer: int, right: Tensor, d: Tensor) -> Tensor:
    return d.sum(0)[:, None] * known.post[layer].mean(0)


batch_summed_twice = Fault(_ways)
