"""An ensemble: a weighted mean of the probabilities of several models, chosen by greedy selection.

    p(x) = Σ_k w_k p_k(x)        scores z = log p, so that softmax(z / T) is p at T = 1

Greedy selection with replacement (Caruana, Niculescu-Mizil, Crew and Ksikes 2004): the model is added whose addition
makes the mean best on held-out images, again and again; w_k is the share of the additions that were model k, up to the
best mean of them all. Best is the highest score by the metric, and of equal scores the least mean negative log
probability of the labels. The first model is the best one, so that no mean does worse on those images.
"""

__all__ = ["Ensemble", "EnsemblePart", "cross_selected", "greedy", "mixed"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from tenfold.engine.types import Buffers
from tenfold.rooms import find
from tenfold.seeds import generator

ADDITIONS = 50
# Means that differ by rounding alone are equally good.
DIGITS = 12


@dataclass(frozen=True)
class EnsemblePart:
    """A model of an ensemble: its name, its share of the mean, and what a file of its own would say.

    model: word of its room; shapes: what it is built from; cause: recipe and settings that it was trained with.
    """

    name: str
    weight: float
    model: str
    shapes: dict[str, Any]
    loss: str
    temperature: float
    cause: dict[str, Any]

    def built(self) -> Any:
        """Return the model as its room builds it."""
        sizes = {name: tuple(value) if isinstance(value, list) else value for name, value in self.shapes.items()}
        return find("models", self.model)(**sizes)


@dataclass(frozen=True)
class Ensemble:
    """Shapes of an ensemble, as of a model: D numbers an image, C classes; its tensors are those of part k as "k.name".

    parts: as EnsemblePart, or as its fields by name, as a file holds them.
    """

    inputs: int
    classes: int
    parts: tuple[EnsemblePart, ...]
    templates: ClassVar[str] = ""
    filters: ClassVar[str] = ""

    def __post_init__(self) -> None:
        parts = tuple(part if isinstance(part, EnsemblePart) else EnsemblePart(**part) for part in self.parts)
        object.__setattr__(self, "parts", parts)

    @property
    def takes(self) -> tuple[int, ...]:
        """Return the shape of one input: (D,)."""
        return (self.inputs,)

    def describe(self) -> str:
        """Return its parts and their shares in one line."""
        return "mean of " + ", ".join(f"{part.weight:.2f} × {part.name}" for part in self.parts)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of each parameter, without the axis of members."""
        return {f"{k}.{name}": s for k, part in enumerate(self.parts) for name, s in part.built().shapes().items()}

    def buffers(self, members: int, images: Tensor) -> Buffers:
        """Return the buffers of its parts, as their models do; images: (N, D)."""
        return {
            f"{k}.{name}": tensor
            for k, part in enumerate(self.parts)
            for name, tensor in _buffers(part.built(), members, images).items()
        }


def _buffers(model: Any, members: int, images: Tensor) -> Buffers:
    buffers: Buffers = model.buffers(members, images.reshape(-1, *model.takes))
    return buffers


def mixed(probabilities: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Return the scores (n, C) of an ensemble from the probabilities (n, C) of its parts.

    >>> mixed([torch.tensor([[0.5, 0.5]]), torch.tensor([[0.9, 0.1]])], (0.75, 0.25)).exp()
    tensor([[0.6000, 0.4000]])
    """
    mean = torch.stack([weight * p for p, weight in zip(probabilities, weights, strict=True)]).sum(0)
    return mean.clamp(min=torch.finfo(mean.dtype).tiny).log()


def greedy(probabilities: Tensor, labels: Tensor, metric: str = "accuracy") -> list[int]:
    """Count how often each of M models is added. probabilities: (M, n, C); labels: (n,); metric: or macro_f1.

    >>> sure, wrong = [[0.6, 0.4], [0.4, 0.6]], [[0.1, 0.9], [0.9, 0.1]]
    >>> greedy(torch.tensor([wrong, sure], dtype=torch.float64), torch.tensor([0, 1]))
    [0, 1]
    """
    total = torch.zeros_like(probabilities[0])
    added: list[int] = []
    quality: list[tuple[float, float]] = []
    for _ in range(ADDITIONS):
        qualities = _qualities(total + probabilities, labels, metric, len(added) + 1)
        best = max(range(len(qualities)), key=lambda k: qualities[k])
        total = total + probabilities[best]
        added.append(best)
        quality.append(qualities[best])
    length = 1 + max(range(len(added)), key=lambda k: quality[k])
    return [added[:length].count(k) for k in range(len(probabilities))]


def cross_selected(probabilities: Tensor, labels: Tensor, metric: str, seed: int) -> Tensor:
    """Return labels (n,) by means that were selected on other images: each half by the selection of the other half."""
    halves = torch.from_numpy(generator(seed, "ensemble").permutation(len(labels))).chunk(2)
    predicted = torch.empty_like(labels)
    for half, other in (halves, halves[::-1]):
        added = torch.tensor(greedy(probabilities[:, other], labels[other], metric), dtype=probabilities.dtype)
        predicted[half] = torch.einsum("m,mnc->nc", added, probabilities[:, half]).argmax(-1)
    return predicted


def _qualities(sums: Tensor, labels: Tensor, metric: str, additions: int) -> list[tuple[float, float]]:
    """Score the means (M, n, C) / additions: by the metric, then by mean log probability of the labels."""
    of_label = sums.gather(-1, labels.expand(len(sums), -1)[..., None])[..., 0] / additions
    likelihood = of_label.clamp(min=torch.finfo(sums.dtype).tiny).log().mean(-1).round(decimals=DIGITS)
    score = _macro_f1 if metric == "macro_f1" else _accuracy
    return list(zip(score(sums.argmax(-1), labels, sums.shape[-1]).tolist(), likelihood.tolist(), strict=True))


def _accuracy(predicted: Tensor, labels: Tensor, classes: int) -> Tensor:
    return (predicted == labels).double().mean(-1)


def _macro_f1(predicted: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Return the mean F1 (M,) over the classes that occur or are predicted."""
    hits = (predicted == labels).double()
    called, right = torch.zeros(2, len(predicted), classes, dtype=torch.float64)
    called.scatter_add_(1, predicted, torch.ones_like(hits))
    right.scatter_add_(1, predicted, hits)
    there = called + torch.bincount(labels, minlength=classes)
    means: Tensor = (2 * right / there.clamp(min=1)).sum(-1) / there.gt(0).sum(-1)
    return means
