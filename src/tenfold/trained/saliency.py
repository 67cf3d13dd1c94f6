"""Maps of the pixels that a prediction rests on: gradients of a class's score, by the layers' own pullbacks.

With the score z_k(x) of class k, before the temperature, at the standardized pixels x,

    gradient × input     x ∂z_k/∂x                                       a linear model's z_k is the sum of it, and b_k
    smoothed gradient    1/n Σ_j ∂z_k/∂x at x + σ ε_j,   ε_j normal      σ is a share of the range of x

(Simonyan, Vedaldi and Zisserman 2013; Smilkov, Thorat, Kim, Viégas and Wattenberg 2017). Where scores are a mean over
views of an image, z_k is that mean: gradient × input goes through every view, the noisy copies take turns at them.
Networks in bfloat16 are differentiated in float32. An ensemble's z_k is the sum of w z_k / T over the members of the
largest shares w, with their temperatures T: maps of its probabilities would fade where these are near 1.
"""

__all__ = ["COPIES", "gradient_times_input", "smoothed_gradient", "standardized", "unmapped"]

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from tenfold.engine.chain import through
from tenfold.engine.types import Layer
from tenfold.seeds import generator
from tenfold.trained.model import TrainedModel, leading_members, test_views
from tenfold.trained.views import View, view_layers

# Members of an ensemble that its maps are made of; a large network takes a second for a report.
LEADING = 2
# Images whose activations are kept at once.
SLICE = 32
COPIES = 12
"""Noisy copies of an image: a multiple of every number of views."""

NOISE = 0.1
"""Deviation of the noise, as a share of the range of an image's inputs."""


def unmapped(trained: TrainedModel) -> str:
    """Say why a model has no gradient in the pixels; "" where it has one."""
    if trained.features == "pixels":
        return ""
    return f"no gradient maps: the model sees {trained.features}, and no gradient leads from these back to the pixels"


def gradient_times_input(trained: TrainedModel, images: Tensor, labels: Tensor) -> Tensor:
    """Return gradient × input (N, C, H, W) of the scores of the classes labels (N,).

    images: (N, C, H, W) in the pixel units of the model's data. The model must see pixels, as `unmapped` says.
    """
    return _shared(trained, lambda member: _times_input(member, images, labels))


def smoothed_gradient(
    trained: TrainedModel, images: Tensor, labels: Tensor, copies: int = COPIES, noise: float = NOISE, seed: int = 0
) -> Tensor:
    """Return the mean gradient (N, C, H, W) over noisy copies of each image; arguments as `gradient_times_input`.

    copies: a multiple of the number of views. noise: σ as a share of the range of the image's inputs. The draws depend
    on the seed and on an image's place among the others.
    """
    return _shared(trained, lambda member: _smoothed(member, images, labels, copies, noise, seed))


def _shared(trained: TrainedModel, map_of: Callable[[TrainedModel], Tensor]) -> Tensor:
    """Add up the maps of an ensemble's leading members, by their shares; of another model, return its map."""
    leading = leading_members(trained, LEADING)
    scales = [share if member is trained else share / member.temperature for share, member in leading]
    return torch.stack([scale * map_of(member) for scale, (_, member) in zip(scales, leading, strict=True)]).sum(0)


def _times_input(trained: TrainedModel, images: Tensor, labels: Tensor) -> Tensor:
    seen = _views(trained)
    maps = []
    for x, classes in _inputs(trained, images, labels):
        gradients = [view.weight * _gradient(trained, x, classes, view.layer) for view in seen]
        maps.append(x * torch.stack(gradients).sum(0))
    return torch.cat(maps)


def _smoothed(trained: TrainedModel, images: Tensor, labels: Tensor, copies: int, noise: float, seed: int) -> Tensor:
    seen = _views(trained)
    maps = []
    for piece, (x, classes) in enumerate(_inputs(trained, images, labels)):
        spread = noise * (x.amax((1, 2, 3), keepdim=True) - x.amin((1, 2, 3), keepdim=True))
        total = torch.zeros_like(x)
        for j in range(copies):
            view, draws = seen[j % len(seen)], generator(seed, "smoothing", piece, j).standard_normal(x.shape)
            noisy = x + spread * torch.from_numpy(draws).to(x)
            total += len(seen) * view.weight * _gradient(trained, noisy, classes, view.layer)
        maps.append(total / copies)
    return torch.cat(maps)


def _views(trained: TrainedModel) -> list[View]:
    return view_layers(*test_views(trained))


def standardized(trained: TrainedModel, images: Tensor) -> Tensor:
    """Return images (N, C, H, W) as a model that sees pixels takes them, in the format of its weights."""
    pixels = images.flatten(1).to(trained.factor.dtype)
    return torch.addcmul(trained.offset, pixels, trained.factor).view(-1, *trained.image_shape)


def _inputs(trained: TrainedModel, images: Tensor, labels: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield some standardized images (B, C, H, W) at a time, and their classes (B,)."""
    for some, classes in zip(torch.split(images, SLICE), torch.split(labels, SLICE), strict=True):
        yield standardized(trained, some), classes


def _gradient(trained: TrainedModel, x: Tensor, labels: Tensor, view: Layer) -> Tensor:
    """Return the gradient (B, C, H, W) of the scores of labels (B,) by one view of standardized images."""
    seen, pull_view = view(x)
    model: Any = replace(trained.model, narrow=False) if getattr(trained.model, "narrow", False) else trained.model
    links, rows = model.links({}, training=False), seen.reshape(-1, *model.takes)
    z, pull, _ = through(links, trained.params, trained.params, rows)
    dz = torch.zeros_like(z).scatter_(-1, labels.view(1, -1, 1), 1.0)
    dx: Any = pull(dz, need_dx=True)[0]
    gradient: Tensor = pull_view(dx.view_as(seen))[0]
    return gradient
