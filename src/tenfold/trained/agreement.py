"""How far the answers of an export are from those of its model: on images that are made for it, or on any.

Made images are like those of the training where the model sees pixels: noise, coarse in every other image, with the
mean and the deviation of each pixel there. Elsewhere they are that noise alone.
"""

__all__ = ["CLOSE", "MADE", "Agreement", "agreement", "made_images", "model_answers", "verified"]

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tenfold.seeds import generator
from tenfold.trained.export import Opened
from tenfold.trained.model import TrainedModel, finite_scores, shares
from tenfold.trained.program import BYTE, Program

MADE = 64
CLOSE = 1e-5
PIECE = 8
COARSE = 4  # squares a side, of which coarse noise is made


@dataclass(frozen=True)
class Agreement:
    """How two answers about the same images agree. others: images with another class; largest: difference of two
    probabilities. Where the likeliest two differ by less than CLOSE, either of them is the same class.
    """

    images: int
    others: int
    largest: float

    @property
    def is_close(self) -> bool:
        """Say whether the classes are the same, and all probabilities within CLOSE."""
        return not self.others and self.largest <= CLOSE

    def joined(self, another: "Agreement") -> "Agreement":
        """Return the agreement on the images of both."""
        return Agreement(
            self.images + another.images, self.others + another.others, float(np.maximum(self.largest, another.largest))
        )


def agreement(answers: NDArray[Any], wanted: NDArray[Any]) -> Agreement:
    """Compare probabilities (N, classes).

    >>> agreement(np.array([[0.5, 0.5], [0.9, 0.1]]), np.array([[0.5, 0.5], [0.4, 0.6]]))
    Agreement(images=2, others=1, largest=0.5)
    """
    rows = np.arange(len(wanted))
    lost = wanted.max(1) - wanted[rows, answers.argmax(1)]
    return Agreement(len(wanted), int((lost > CLOSE).sum()), float(np.abs(answers - wanted).max()))


def verified(trained: TrainedModel, program: Program, opened: Opened) -> Agreement:
    """Compare an export to a model on MADE images."""
    total = Agreement(0, 0, 0.0)
    for images in made_images(trained, program):
        total = total.joined(agreement(opened.answers(images), model_answers(trained, program, images)))
    return total


def model_answers(trained: TrainedModel, program: Program, images: NDArray[Any]) -> NDArray[Any]:
    """Return the probabilities (N, classes) of inputs of the program, by the model itself."""
    units = program.form.units
    factor = units.top / BYTE if units.are_pixels else 1.0
    inputs = torch.from_numpy(images.astype(np.float64) * factor).view(-1, *trained.image_shape)
    return np.asarray(shares(finite_scores(trained, inputs, "the model"), trained.loss, trained.temperature))


def made_images(trained: TrainedModel, program: Program) -> Iterator[NDArray[np.float32]]:
    """Yield MADE inputs of the program, PIECE at a time."""
    draws, (channels, height, width) = generator(0, "made images"), program.shape
    units, sees_pixels = program.form.units, trained.features == "pixels"
    top = units.top if units.are_pixels else 1.0
    for _ in range(MADE // PIECE):
        fine = draws.standard_normal((PIECE, channels, height, width))
        squares = draws.standard_normal((PIECE, channels, COARSE, COARSE))
        rows, columns = (np.arange(side) * COARSE // side for side in (height, width))
        fine[::2] = squares[::2][:, :, rows][..., columns] + 0.2 * fine[::2]
        values = top * (0.5 + 0.25 * fine)
        if sees_pixels:
            offset, factor = (t.numpy().reshape(program.shape) for t in (trained.offset, trained.factor))
            like_data = (fine - offset) / factor
            values = like_data if not units.are_pixels or like_data.std() > top / 50 else values
        pixels = (values * (BYTE / top)).round().clip(0, BYTE) if units.are_pixels else values
        yield pixels.astype(np.float32)
