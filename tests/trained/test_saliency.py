"""Maps of what a prediction rests on are autograd's, in float64, through every view of the image."""

from dataclasses import asdict, replace
from functools import partial

import numpy as np
import pytest
import torch

from tenfold.rooms import find
from tenfold.seeds import generator
from tenfold.trained.ensemble import Ensemble, EnsemblePart
from tenfold.trained.model import TrainedModel, scores
from tenfold.trained.nearest import nearest
from tenfold.trained.saliency import COPIES, gradient_times_input, smoothed_gradient, unmapped
from tenfold.trained.views import view_layers, views

SHAPE, CLASSES = (3, 9, 8), 4
PLAIN = {"recipe": {"test_views": "none"}, "settings": {"flip": 0.5}}
LOOKED = {"recipe": {"test_views": "flip+shift"}, "settings": {"flip": 0.5}}
MODELS = {
    "linear": ("linear", (216, CLASSES)),
    "mlp": ("mlp", (216, CLASSES, (7, 6), "tanh", 0.5)),
    "fast": ("convnet", (SHAPE, CLASSES, "fast", (4, 5), 0, 6, 0.5)),
    "resnet": ("convnet", (SHAPE, CLASSES, "resnet", (4, 5), 1)),
}


def trained(word, draw, cause=PLAIN, **changes):
    """A model with random weights, running statistics and standardization, float64."""
    model = find("models", MODELS[word][0])(*MODELS[word][1])
    params = model.init([0], "he") | model.buffers(1, draw(20, *SHAPE) if word in ("fast", "resnet") else draw(20, 216))
    params = {name: t + 0.1 * draw(*t.shape).abs() for name, t in params.items()}
    factor, offset = draw(216).abs() + 0.5, draw(216)
    names = tuple("abcd")
    return TrainedModel(MODELS[word][0], model, params, factor, offset, SHAPE, 1.0, names, "softmax", cause, **changes)


def by_autograd(model, x, labels, looked):
    """Gradient in standardized pixels of the score of weighted views, looked(x)."""
    x = x.clone().requires_grad_()
    looks = list(looked(x))
    z = sum(w * model.model.predict(model.params, {}, v.reshape(-1, *model.model.takes))[0] for w, v in looks)
    return torch.autograd.grad(z.gather(1, labels[:, None]).sum(), x)[0]


def standardized(model, images):
    return (model.factor * images.flatten(1) + model.offset).view(-1, *SHAPE)


@pytest.mark.parametrize("cause", [PLAIN, LOOKED], ids=["plain", "views"])
@pytest.mark.parametrize("word", MODELS)
def test_gradient_times_input_is_that_of_autograd(word, cause, draw):
    model, images, labels = trained(word, draw, cause), draw(37, *SHAPE), torch.arange(37) % CLASSES
    x = standardized(model, images)
    wanted = x * by_autograd(model, x, labels, partial(views, word=cause["recipe"]["test_views"], mirrors=True))
    torch.testing.assert_close(gradient_times_input(model, images, labels), wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("word", MODELS)
def test_smoothed_gradient_is_the_mean_of_autograds_over_copies_that_take_turns_at_the_views(word, draw):
    model, images, labels = trained(word, draw, LOOKED), draw(33, *SHAPE), torch.arange(33) % CLASSES
    x, seen = standardized(model, images), view_layers("flip+shift", True)
    spread = 0.1 * (x.amax((1, 2, 3), keepdim=True) - x.amin((1, 2, 3), keepdim=True))
    total = torch.zeros_like(x)
    for j in range(COPIES):
        draws = [generator(5, "smoothing", piece, j).standard_normal((n, *SHAPE)) for piece, n in enumerate((32, 1))]
        noisy = x + spread * torch.from_numpy(np.concatenate(draws))
        total += by_autograd(model, noisy, labels, lambda x, view=seen[j % 6]: [(6 * view.weight, view.layer(x)[0])])
    torch.testing.assert_close(smoothed_gradient(model, images, labels, seed=5), total / COPIES, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("cause", [PLAIN, LOOKED], ids=["plain", "views"])
def test_a_linear_models_score_is_its_bias_and_the_sum_of_its_map(cause, draw):
    model, images, labels = trained("linear", draw, cause), draw(5, *SHAPE), torch.tensor([0, 1, 2, 3, 3])
    parts = gradient_times_input(model, images, labels).flatten(1).sum(1)
    z = scores(model, images).gather(1, labels[:, None])[:, 0]
    torch.testing.assert_close(parts + model.params["scores.bias"][0, labels], z, rtol=1e-10, atol=1e-10)


def test_the_maps_of_an_ensemble_are_those_of_its_leading_members_by_share_and_temperature(draw):
    members = [trained(word, draw) for word in ("linear", "linear", "linear", "mlp", "linear")]
    parts = tuple(
        EnsemblePart(str(k), k / 10, m.room_name, asdict(m.model), "softmax", 1.0 + k, PLAIN)
        for k, m in enumerate(members)
    )
    params = {f"{k}.{name}": tensor for k, m in enumerate(members) for name, tensor in m.params.items()}
    whole = replace(members[0], room_name="ensemble", model=Ensemble(216, CLASSES, parts), params=params)
    images, labels = draw(3, *SHAPE), torch.tensor([1, 0, 2])
    alike = [replace(member, factor=whole.factor, offset=whole.offset) for member in members]
    wanted = sum(k / 10 / (1 + k) * gradient_times_input(alike[k], images, labels) for k in (3, 4))
    torch.testing.assert_close(gradient_times_input(whole, images, labels), wanted)
    assert torch.equal(nearest(whole, images[:1], images, labels, 2), nearest(alike[4], images[:1], images, labels, 2))


def test_networks_in_bfloat16_have_the_maps_of_float32(draw):
    model, images, labels = trained("fast", draw), draw(4, *SHAPE), torch.arange(4)
    narrow = replace(model, model=replace(model.model, narrow=True))
    wide = gradient_times_input(model, images, labels)
    assert torch.equal(gradient_times_input(narrow, images, labels), wide)


def test_what_sees_no_pixels_says_so(draw):
    assert not unmapped(trained("linear", draw))
    assert "sees patches" in unmapped(trained("linear", draw, features="patches"))


@pytest.mark.parametrize(("word", "mirrors"), [("flip", True), ("flip+shift", True), ("flip+shift", False)])
def test_a_views_pullback_is_its_transpose(word, mirrors, draw):
    x, dy = draw(2, *SHAPE), draw(2, *SHAPE)
    for view in view_layers(word, mirrors):
        y, pull = view.layer(x)
        torch.testing.assert_close((y * dy).sum(), (x * pull(dy)[0]).sum())
