"""The batch of every step as a function of (seed, step): which images, which of them mirrored, what noise.

Pixels stay as they were read and become numbers one batch at a time: x = pixel · factor + offset.
"""

__all__ = ["Changes", "Part", "batches_of", "changes_of", "inputs", "sampler", "steps_per_epoch"]

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from tenfold.engine.encoder import asked
from tenfold.engine.types import Batch, Model, Scalar
from tenfold.errors import UsageError
from tenfold.recipe import AUGMENTATIONS, Recipe
from tenfold.rooms import find, marked
from tenfold.seeds import generator
from tenfold.text import count

BLOCK = 2**16
"""Positions whose draws are made at once."""


class Part(NamedTuple):
    """One part of a split, ready to be read in batches.

    images: (N, C, H, W) of the whole data set; labels: (N,); rows: positions of this part; factor, offset: (D,).
    weights: of each image by position (N, 1), or 1.0.
    """

    images: Tensor
    labels: Tensor
    rows: Tensor
    factor: Tensor
    offset: Tensor
    weights: Scalar = 1.0

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Return shape of an image: (C, H, W)."""
        return tuple(self.images.shape[1:])


def inputs(part: Part, images: Tensor, takes: tuple[int, ...]) -> Tensor:
    """Standardize images (B, C, H, W). takes: shape of one input, as the model wants it. Returns (B, *takes)."""
    x = images.flatten(1).to(part.factor.dtype)
    # In place, unless the images had that type already and are somebody's.
    return torch.addcmul(part.offset, x, part.factor, out=None if x.dtype == images.dtype else x).view(-1, *takes)


class Changes(NamedTuple):
    """Changes that training images go through. flip: probability of mirroring, of all members or of each, (P,) float64.

    alternating: an image is mirrored in every other epoch. others: word of an augmentation -> its strength. views: of
    each image, one batch of them behind the other, each changed by itself. labeled: targets are labels, else the
    number of the image in its batch, which its views share.
    """

    flip: Scalar = 0.0
    alternating: bool = False
    others: Mapping[str, float] = {}
    views: int = 1
    labeled: bool = True


def sampler(
    part: Part,
    batch: int,
    seed: int,
    sampling: str,
    changes: Changes,
    takes: tuple[int, ...],
    noise: Callable[[int], Mapping[str, tuple[int, ...]]],
    classes: int = 0,
) -> Callable[[int], Batch]:
    """Return `batches(t)`, which makes the batch of update t.

    sampling: "shuffle" (an epoch is a permutation, its last batch may be short) or "replacement". takes: shape of one
    input of the model; noise(b): shapes of the uniform draws that it takes for b images. classes: a batch is drawn anew
    from so many classes, with as many images of each; 0: of any.
    """
    size = min(batch, len(part.rows))
    if classes:
        positions = _balanced(part, size // classes, classes, seed)
    else:
        positions = _shuffled(part.rows, size, seed) if sampling == "shuffle" else _drawn(part.rows, size, seed)
    on_pixels, on_inputs, mixing = _sorted(changes.others)
    epoch = steps_per_epoch(len(part.rows), size)

    def batches(t: int) -> Batch:
        rows = positions(t).repeat(changes.views)
        images = _changed(part.images.index_select(0, rows), on_pixels, seed, t)
        mirrored_by = _mirrors(changes, rows, seed, t, epoch)
        images, mirrored = _flipped(images, mirrored_by)
        weight = part.weights if isinstance(part.weights, float) else part.weights.index_select(0, rows)
        draws = {name: _uniform(shape, (seed, name, t), part.factor) for name, shape in noise(len(rows)).items()}
        if mirrored is not None:
            draws = {name: torch.cat((u, u)) for name, u in draws.items()}
        alike = part.labels.index_select(0, rows) if changes.labeled else _numbered(rows, changes.views)
        x = inputs(part, images, takes)
        if on_inputs:
            x = _changed_inputs(x.view(-1, *images.shape[1:]), on_inputs, len(rows), seed, t).reshape(-1, *takes)
        made = Batch(x, alike, weight, draws, mirrored)
        return _mixed(made, mixing, seed, t) if mixing else made

    return batches


def batches_of(part: Part, recipe: Recipe, flip: Scalar, model: Model) -> Callable[[int], Batch]:
    """Return the batches of a recipe's updates for a model. flip: probability of mirroring, one or of each member."""
    changes = changes_of(recipe, flip)
    if recipe.task == "contrast":
        _, views, labeled = asked(recipe)
        changes = changes._replace(views=views, labeled=labeled)
        classes = _classes_in_batch(part, recipe, labeled, views)
    else:
        classes = 0
    return sampler(part, recipe.batch_size, recipe.seed, recipe.sampling, changes, model.takes, model.noise, classes)


def changes_of(recipe: Recipe, flip: Scalar) -> Changes:
    """Return a recipe's changes of training images. flip: probability of mirroring, one or of each member."""
    others = {name: getattr(recipe, name) for name in AUGMENTATIONS}
    return Changes(flip, recipe.flip_turns == "alternating", others)


def _classes_in_batch(part: Part, recipe: Recipe, labeled: bool, views: int) -> int:
    """Return how many classes a batch of embeddings is drawn from, 0 for any images.

    labeled: classes say what belongs together; views: of each image. Raises UsageError where a batch would have nothing
    that belongs together, or nothing that does not.
    """
    size = min(recipe.batch_size, len(part.rows))
    wanted = recipe.model_dump()["batch_classes"]
    counts = torch.bincount(part.labels[part.rows])
    there = int((counts > 0).sum())
    if size < 2:
        raise UsageError(f"batch_size {size}: a batch of one image has nothing to tell it from; choose a larger one")
    if labeled and there < 2:
        raise UsageError("all training images are of one class: a loss of labels has nothing to keep them apart from")
    if labeled and views == 1 and bool((counts == 1).any()):
        label = int((counts == 1).nonzero()[0])
        raise UsageError(
            f"class {label} (counted from 0) has one training image, which nothing belongs to: add another, leave the "
            "class out, or choose --loss supcon or nt_xent, where an image's own views belong together"
        )
    if wanted > there or (wanted and size // wanted < 2) or wanted == 1:
        raise UsageError(
            f"batch_classes {wanted}: choose from 2 to {max(2, min(there, size // 2))}; there are "
            f"{count(there, 'class', 'classes')} and a batch of {count(size, 'image')}, two of each class at least"
        )
    return wanted or (min(there, size // 2) if labeled else 0)


def _numbered(rows: Tensor, views: int) -> Tensor:
    return torch.arange(len(rows) // views, device=rows.device).repeat(views)


def steps_per_epoch(images: int, batch: int) -> int:
    """Return the number of updates in one pass over the images, the last batch short where they do not divide."""
    return math.ceil(images / min(batch, images))


def _shuffled(rows: Tensor, size: int, seed: int) -> Callable[[int], Tensor]:
    count = steps_per_epoch(len(rows), size)

    @lru_cache(maxsize=2)
    def order(epoch: int) -> Tensor:
        permutation = generator(seed, "order", epoch).permutation(len(rows))
        return rows[torch.from_numpy(permutation).to(rows.device)]

    return lambda t: order(t // count)[(t % count) * size : (t % count + 1) * size]


def _drawn(rows: Tensor, size: int, seed: int) -> Callable[[int], Tensor]:
    def draw(t: int) -> Tensor:
        chosen = generator(seed, "draw", t).integers(len(rows), size=size)
        return rows[torch.from_numpy(chosen).to(rows.device)]

    return draw


def _balanced(part: Part, each: int, classes: int, seed: int) -> Callable[[int], Tensor]:
    """Draw so many classes, and of each as many images as there are up to `each`, none of them twice."""
    labels = part.labels[part.rows].cpu()
    groups = [part.rows[(labels == label).to(part.rows.device)] for label in sorted(set(labels.tolist()))]

    def draw(t: int) -> Tensor:
        stream = generator(seed, "classes", t)
        chosen = stream.choice(len(groups), classes, replace=False) if classes < len(groups) else range(classes)
        drawn = [(groups[k], stream.choice(len(groups[k]), min(each, len(groups[k])), replace=False)) for k in chosen]
        return torch.cat([rows[torch.from_numpy(places).to(rows.device)] for rows, places in drawn])

    return draw


def _sorted(others: Mapping[str, float]) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
    """Sort augmentations into those on pixels, on inputs, and those that mix images, each in order of their words."""
    pixels, mixes = marked("augmentations", "ON_PIXELS"), marked("augmentations", "MIXES")
    words = sorted(word for word, strength in others.items() if strength)
    kinds = [(w for w in words if w in pixels), (w for w in words if w not in (*pixels, *mixes))]
    kinds.append(w for w in words if w in mixes)
    first, second, third = ({word: others[word] for word in kind} for kind in kinds)
    return first, second, third


def _changed(images: Tensor, strengths: Mapping[str, float], seed: int, t: int) -> Tensor:
    """Apply augmentations one after the other, each with draws that depend on its word, the seed and the step."""
    for word, strength in strengths.items():
        images = find("augmentations", word)(images, generator(seed, word, t), strength)
    return images


def _changed_inputs(x: Tensor, strengths: Mapping[str, float], images: int, seed: int, t: int) -> Tensor:
    """Change inputs; mirror images behind the images get the same draws, as a member that sees them would alone."""
    return torch.cat([_changed(half, strengths, seed, t) for half in torch.split(x, images)])


def _mixed(batch: Batch, strengths: Mapping[str, float], seed: int, t: int) -> Batch:
    """Mix the images of a batch in pairs; the mirror images behind them in the same pairs."""
    x, others, share = batch.inputs, batch.targets, 1.0
    for word, strength in strengths.items():
        halves = [
            find("augmentations", word)(half, generator(seed, word, t), strength)
            for half in torch.split(x, len(batch.targets))
        ]
        x, others, share = torch.cat([half[0] for half in halves]), halves[0][1], halves[0][2]
    return batch._replace(inputs=x, partners=batch.targets[others], share=share)


def _mirrors(changes: Changes, rows: Tensor, seed: int, t: int, epoch: int) -> Tensor | None:
    """Say which images of a batch are mirrored, (B,) for all members or (P, B) where they differ; None for no image.

    An image has one draw for all members, so that each of them sees what it would see alone.
    """
    share = changes.flip
    if not isinstance(share, Tensor) and not share:
        return None
    if changes.alternating:
        draws = _turns(seed, rows)
    else:
        draws = torch.from_numpy(generator(seed, "flip", t).random(len(rows)))
    chosen = draws < (share[:, None] if isinstance(share, Tensor) else share)
    if changes.alternating and (t // epoch) % 2 == 1:
        chosen ^= share[:, None] > 0 if isinstance(share, Tensor) else True
    return chosen.to(rows.device)


def _turns(seed: int, rows: Tensor) -> Tensor:
    """Draw a number in [0, 1) for each image, the same in every epoch. rows: positions (B,) in the data."""
    return _draws_of(seed, int(rows.max()) // BLOCK + 1)[rows.cpu()]


@lru_cache(maxsize=2)
def _draws_of(seed: int, blocks: int) -> Tensor:
    """Return draws for so many blocks of positions; those of the first positions are the same for any number."""
    return torch.from_numpy(np.concatenate([generator(seed, "turns", block).random(BLOCK) for block in range(blocks)]))


def _flipped(images: Tensor, mirrored: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Mirror some of the images. Where members differ: return images, mirror images, and who sees which (P, B)."""
    if mirrored is None:
        return images, None
    if mirrored.dim() == 2:
        return torch.cat((images, images.flip(-1))), mirrored
    seen: Tensor = find("augmentations", "flip")(images, mirrored)
    return seen, None


def _uniform(shape: tuple[int, ...], path: tuple[int, str, int], like: Tensor) -> Tensor:
    draws = generator(path[0], "noise", *path[1:]).random(shape, dtype=np.float32)
    return torch.from_numpy(draws).to(like)
