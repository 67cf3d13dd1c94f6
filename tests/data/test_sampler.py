"""Training batches under every change: functions of seed and step, and a member sees what it would see alone."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from tenfold.choices import recipe
from tenfold.data.batches import Changes, Part, batches_of, sampler
from tenfold.engine.population import built
from tenfold.errors import UsageError
from tenfold.recipe import AUGMENTATIONS, Recipe


@pytest.fixture
def part(rng):
    images = torch.from_numpy(rng.integers(0, 256, (40, 3, 6, 5), dtype=np.uint8))
    return Part(images, torch.arange(40), torch.arange(40), torch.full((90,), 0.01), torch.full((90,), -1.0))


def batches(part, changes, sampling="shuffle", seed=0):
    return sampler(part, 10, seed, sampling, changes, (3, 6, 5), lambda size: {})


STRONG = {"crop": 2, "cutout": 2, "brightness": 0.5, "contrast": 0.5, "mixup": 0.7}


@pytest.mark.parametrize("word", AUGMENTATIONS)
def test_every_augmentation_changes_a_batch_and_is_a_function_of_seed_and_step(word, part):
    changed = Changes(others={word: STRONG[word]})
    first, again = batches(part, changed)(5), batches(part, changed)(5)
    assert torch.equal(first.inputs, again.inputs)
    assert not torch.equal(first.inputs, batches(part, Changes())(5).inputs)
    assert torch.equal(first.targets, batches(part, Changes())(5).targets)
    other_step, other_seed = batches(part, changed)(9), batches(part, changed, seed=1)(5)
    assert not torch.equal(first.inputs, other_step.inputs)
    assert not torch.equal(first.inputs, other_seed.inputs)


@pytest.mark.parametrize("alternating", [False, True])
def test_members_that_differ_see_what_each_would_see_alone(alternating, part):
    shares = torch.tensor([0.0, 0.3, 0.8], dtype=torch.float64)
    others = {word: strength for word, strength in STRONG.items() if word != "mixup"}
    together = batches(part, Changes(shares, alternating, others))(6)
    images, mirrors = together.inputs.chunk(2)
    for k, share in enumerate(shares.tolist()):
        alone = batches(part, Changes(share, alternating, others))(6)
        seen = torch.where(together.mirrored[k][:, None, None, None], mirrors, images)
        torch.testing.assert_close(seen, alone.inputs)


def test_alternating_flips_show_every_image_once_each_way_in_two_epochs(part):
    seen = {}
    for step in range(16):
        batch, plain = (batches(part, changes)(step) for changes in (Changes(0.5, True), Changes()))
        for target, image, untouched in zip(batch.targets.tolist(), batch.inputs, plain.inputs, strict=True):
            seen.setdefault(target, []).append(not torch.equal(image, untouched))
    assert all(turns in ([True, False] * 2, [False, True] * 2) for turns in seen.values())
    assert {turns[0] for turns in seen.values()} == {True, False}


def test_mixed_images_and_members_that_flip_differently_are_refused():
    with pytest.raises(ValidationError, match="mixup: mixes images as they are flipped; flip takes one value with it"):
        Recipe(mixup=0.2, flip=(0.0, 0.5))


def test_alternating_flips_need_epochs():
    with pytest.raises(ValidationError, match="alternating needs epochs"):
        Recipe(flip=0.5, flip_turns="alternating", sampling="replacement")


def classes_of(part, labels):
    return part._replace(labels=torch.tensor(labels))


def test_balanced_batches_have_as_many_images_of_each_class_and_none_twice(part):
    labeled = classes_of(part, [0] * 20 + [1] * 12 + [2] * 6 + [3] * 2)
    take = sampler(labeled, 12, 0, "shuffle", Changes(), (3, 6, 5), lambda size: {}, 3)
    again = sampler(labeled, 12, 0, "shuffle", Changes(), (3, 6, 5), lambda size: {}, 3)
    seen = [take(t) for t in range(30)]
    for batch in seen:
        labels, counts = batch.targets.unique(return_counts=True)
        assert len(labels) == 3
        assert all(n == (4 if k < 3 else 2) for k, n in zip(labels.tolist(), counts.tolist(), strict=True))
        assert len(batch.inputs.flatten(1).unique(dim=0)) == len(batch.targets)
    assert {k for batch in seen for k in batch.targets.tolist()} == {0, 1, 2, 3}
    assert torch.equal(take(7).inputs, again(7).inputs)


def test_two_views_of_an_image_are_changed_each_by_itself(part):
    views = Changes(others={"crop": 2}, views=2, labeled=False)
    first, second = batches(part, views)(3).inputs.chunk(2)
    assert not torch.equal(first, second)
    assert batches(part, views)(3).targets.tolist() == [*range(10), *range(10)]
    plain, again = batches(part, Changes(views=2))(3).inputs.chunk(2)
    assert torch.equal(plain, again)
    assert torch.equal(plain, batches(part, Changes())(3).inputs)


@pytest.mark.parametrize(
    ("labels", "more", "wanted"),
    [
        ([0] * 40, {}, "all training images are of one class"),
        ([0] * 39 + [1], {}, "class 1 .counted from 0. has one training image"),
        ([0, 1] * 20, {"batch_classes": 3}, "batch_classes 3: choose from 2 to 2"),
        ([0, 1] * 20, {"batch_classes": 2, "batch_size": 3}, "a batch of 3 images, two of each class at least"),
        ([0, 1] * 20, {"batch_size": 1}, "batch_size 1: a batch of one image"),
    ],
)
def test_batches_without_pairs_are_refused_in_one_line(labels, more, wanted, part):
    made = recipe({"task": "contrast", "model": "mlp", **more})
    with pytest.raises(UsageError, match=wanted):
        batches_of(classes_of(part, labels), made, 0.0, built(made, (3, 6, 5), 2))


def test_a_class_with_one_image_is_no_hindrance_where_views_belong_together(part):
    for loss in ("supcon", "nt_xent"):
        made = recipe({"task": "contrast", "model": "mlp", "loss": loss, "batch_size": 8})
        batch = batches_of(classes_of(part, [0] * 39 + [1]), made, 0.0, built(made, (3, 6, 5), 2))(0)
        assert len(batch.targets) == len(batch.inputs) == len(batch.noise["mining"])
