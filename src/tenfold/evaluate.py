"""What a population or a trained member is worth on a part of the data, in slices, and the metrics of predictions."""

__all__ = ["evaluate", "interval", "measure"]

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import precision_recall_fscore_support
from torch import Tensor

from tenfold.batches import Part, inputs
from tenfold.types import Loss, Model, Params

# Images at once: few enough for the activations of a population to stay small, many enough for the products.
SLICE = 500


def evaluate(model: Model, params: Params, part: Part, losses: Sequence[tuple[Loss, int]]) -> tuple[Tensor, Tensor]:
    """Exact mean loss (P,) and accuracy (P,) over a part, float64. losses: (loss, count) of consecutive members."""
    members = len(next(iter(params.values())))
    loss, right = torch.zeros(2, members, dtype=torch.float64)
    for z, y in _slices(model, params, part):
        blocks = torch.split(z, [count for _, count in losses])
        values = [score(block, y)[0] for (score, _), block in zip(losses, blocks, strict=True)]
        loss += torch.cat(values).double().cpu() * len(y)
        right += (z.max(-1).indices == y).sum(-1).cpu()
    return loss / len(part.rows), right / len(part.rows)


def interval(right: int, n: int) -> tuple[float, float]:
    """Wilson's (1927) 95 % interval of a share."""
    found = stats.binomtest(right, n).proportion_ci(0.95, method="wilson")
    return float(found.low), float(found.high)


def measure(labels: NDArray[np.int64], predicted: NDArray[np.int64], names: Sequence[str]) -> dict[str, Any]:
    """Accuracy with its interval, macro and per-class precision, recall and F1. labels, predicted: (n,)."""
    right = int((labels == predicted).sum())
    known = np.arange(len(names))
    columns = precision_recall_fscore_support(labels, predicted, labels=known, zero_division=0.0)
    precision, recall, f1, n = (column.tolist() for column in columns)
    return {
        "accuracy": right / len(labels),
        "interval": list(interval(right, len(labels))),
        "macro_precision": float(np.mean(precision)),
        "macro_recall": float(np.mean(recall)),
        "macro_f1": float(np.mean(f1)),
        "n": len(labels),
        "per_class": [
            {"class": names[k], "n": int(n[k]), "precision": precision[k], "recall": recall[k], "f1": f1[k]}
            for k in range(len(names))
        ],
    }


def _slices(model: Model, params: Params, part: Part) -> Iterator[tuple[Tensor, Tensor]]:
    for rows in torch.split(part.rows, SLICE):
        yield model.predict(params, {}, inputs(part, part.images[rows])), part.labels[rows]
