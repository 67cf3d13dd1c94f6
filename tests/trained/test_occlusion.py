"""Covering parts of an image finds the planted pixels that a model goes by, and deletion judges maps by them."""

import numpy as np
import torch

from tenfold.rooms import find
from tenfold.trained.model import TrainedModel, probabilities
from tenfold.trained.nearest import nearest
from tenfold.trained.occlusion import ORDERS, deletions, occlusion

SHAPE = (1, 20, 12)
PLANTED = np.zeros((20, 12))
PLANTED[5:10, 6:9] = 1


def trained(offset=0.0):
    """A model whose class 1 is the brightness of the planted pixels; standardized so that `offset` is its average."""
    model = find("models", "linear")(240, 2)
    weights = torch.stack((torch.zeros(240), torch.from_numpy(PLANTED).float().flatten()))
    params = {"scores.weight": weights[None], "scores.bias": torch.tensor([[0.0, -3.0]])}
    standard = torch.ones(240), torch.full((240,), -offset)
    return TrainedModel("linear", model, params, *standard, SHAPE, 1.0, ("dark", "bright"), "softmax", {})


def test_a_square_on_what_counts_takes_the_probability_away():
    model, image = trained(0.25), torch.full((1, *SHAPE), 0.9)
    drops = occlusion(model, image, 1)
    assert drops.shape == (20, 12)
    place = np.unravel_index(drops.argmax(), drops.shape)
    assert PLANTED[place]
    assert drops[0, 0] == drops[19, 11] == 0
    covered = image.clone()
    covered[..., 5:10, 6:9] = 0.25  # a square of 5 × 3 at this place, showing the average
    lost = probabilities(model, image)[0, 1] - probabilities(model, covered)[0, 1]
    assert 0.2 * float(lost) < drops.max() <= float(lost) + 1e-9


def test_deletion_tells_a_map_that_knows_from_one_that_does_not():
    model, image = trained(), torch.full((1, *SHAPE), 0.9)
    maps = {"right": PLANTED, "wrong": 1 - PLANTED, "broken": np.full((20, 12), np.nan)}
    curves = deletions(model, image, 1, maps)
    right, wrong = curves["right"], curves["wrong"]
    assert right.removed[0] == 0
    assert right.removed[-1] == 1
    assert right.ordered[0] == wrong.ordered[0] == float(probabilities(model, image)[0, 1])
    empty = probabilities(model, torch.full((1, *SHAPE), 0.5))[0, 1]  # no average is known: middle grey
    np.testing.assert_allclose([right.ordered[-1], wrong.ordered[-1], *right.random[:, -1]], float(empty))
    assert right.random.shape == (ORDERS, 11)
    assert (right.beaten, wrong.beaten) == (ORDERS, 0)
    assert right.between > 0 > wrong.between
    assert 0 <= curves["broken"].beaten <= ORDERS


def test_the_nearest_images_are_those_of_the_last_layers_inputs(draw):
    model, images = trained(0.25), draw(40, *SHAPE).float()
    rows = torch.arange(3, 40, 2)
    positions = nearest(model, images[[7, 8]], images, rows, 4)
    distances = torch.cdist(images[[7, 8]].flatten(1), images[rows].flatten(1))
    assert torch.equal(positions, rows[distances.argsort(1)[:, :4]])
    assert positions[0, 0] == 7
    assert nearest(model, images[:1], images, rows[:2], 4).shape == (1, 2)
