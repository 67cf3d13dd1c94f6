"""Training batches under every change: functions of seed and step, and a member sees what it would see alone."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from tenfold.data.batches import Changes, Part, sampler
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
