"""Trials of what a prediction rests on: parts of an image are covered, and the probability of its class is asked again.

    occlusion    a square moves over the image; a pixel gets the mean drop of the squares that cover it (Zeiler and
                 Fergus 2014)
    deletion     cells of the image are removed, those first that a map calls most important; the better the map, the
                 sooner the probability falls (Petsiuk, Das and Saenko 2018). Random orders say how soon it falls anyway

What is covered shows the average training pixel, or middle grey where the model's standardization knows no average.
"""

__all__ = ["ORDERS", "Deletion", "deletions", "occlusion"]

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tenfold.data.types import drawn_shape
from tenfold.seeds import generator
from tenfold.trained.model import TrainedModel, scores, shares

# Images asked about at once.
SLICE = 64
# A square's side is a fourth of the image's, and it moves by half of that.
PART = 4
# Cells of a side, steps of a curve.
CELLS, STEPS = 16, 10

ORDERS = 9
"""Random orders that the order of a map is compared with."""


class Deletion(NamedTuple):
    """Probabilities of the class as cells are removed. removed: (S,) shares of the image, from 0 to 1.

    ordered: (S,) in the order of a map; random: (R, S) in random orders.
    """

    removed: NDArray[np.float64]
    ordered: NDArray[np.float64]
    random: NDArray[np.float64]

    @property
    def between(self) -> float:
        """Return the area between the mean random curve and the map's: above 0 where the map knows more than chance."""
        return float(np.trapezoid(self.random.mean(0) - self.ordered, self.removed))

    @property
    def beaten(self) -> int:
        """Count the random orders below whose curve the map's lies, by area."""
        areas = np.trapezoid(self.random, self.removed, axis=1)
        return int((np.trapezoid(self.ordered, self.removed) < areas).sum())


def occlusion(trained: TrainedModel, image: Tensor, label: int) -> NDArray[np.float64]:
    """Return the mean drop (H, W) of the probability of a class where squares cover the image.

    image: (1, C, H, W) in the pixel units of the model's data.
    """
    height, width = drawn_shape(trained.image_shape)[1:]
    squares = np.array([top & left for top in _bands(height)[:, :, None] for left in _bands(width)[:, None, :]])
    squares = squares.reshape(-1, height, width)
    uncovered = _probabilities(trained, image, label, np.zeros((1, height, width), dtype=bool))
    drops = uncovered - _probabilities(trained, image, label, squares)
    return np.asarray((drops[:, None, None] * squares).sum(0) / squares.sum(0))


def deletions(
    trained: TrainedModel, image: Tensor, label: int, maps: Mapping[str, NDArray[np.floating]], seed: int = 0
) -> dict[str, Deletion]:
    """Return the probabilities of a class while the image (1, C, H, W) is removed, by each map (H, W) and at random."""
    cells = _cells(*drawn_shape(trained.image_shape)[1:])
    sizes, draws = np.bincount(cells.ravel()), generator(seed, "deletion")
    gone = np.round(np.linspace(0, len(sizes), STEPS + 1)).astype(int)

    def curve(order: NDArray[np.int64]) -> NDArray[np.float64]:
        return _probabilities(trained, image, label, np.argsort(order)[cells] < gone[:, None, None])

    random = np.array([curve(draws.permutation(len(sizes))) for _ in range(ORDERS)])
    weights = {name: np.bincount(cells.ravel(), np.nan_to_num(values).ravel()) / sizes for name, values in maps.items()}
    return {
        name: Deletion(gone / len(sizes), curve(np.argsort(-of_cells, kind="stable")), random)
        for name, of_cells in weights.items()
    }


def _bands(side: int) -> NDArray[np.bool_]:
    """Return the places of a moving window along a side, (places, side); every pixel is in one."""
    window = -(-side // PART)
    starts = sorted({*range(0, side - window + 1, -(-window // 2)), side - window})
    place = np.arange(side)
    return np.array([(start <= place) & (place < start + window) for start in starts])


def _cells(height: int, width: int) -> NDArray[np.int64]:
    """Return the number (H, W) of the cell that each pixel is in, cells being as equal as they can be."""
    down, across = (np.arange(side) * min(side, CELLS) // side for side in (height, width))
    return np.asarray(down[:, None] * min(width, CELLS) + across)


def _probabilities(trained: TrainedModel, image: Tensor, label: int, masks: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the probability (M,) of a class where masks (M, H, W) cover the image."""
    asked, blank = [], _blank(trained)
    for some in torch.split(torch.from_numpy(masks), SLICE):
        covered = torch.where(some.unsqueeze(1), blank, image.to(blank).view_as(blank))
        z = scores(trained, covered.view(-1, *trained.image_shape))
        asked.append(shares(z, trained.loss, trained.temperature)[:, label])
    return torch.cat(asked).numpy()


def _blank(trained: TrainedModel) -> Tensor:
    """Return what stands in the place of a covered image, (1, C, H, W) float32 as it is drawn, in pixel units."""
    shape = (1, *drawn_shape(trained.image_shape))
    knows_average = trained.features == "pixels" and bool(trained.offset.any())
    if knows_average:
        return (-trained.offset / trained.factor).float().view(shape)
    return torch.full(shape, 0.5 / trained.scale)
