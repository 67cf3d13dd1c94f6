"""The laws of augmentations, over every entry."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from tenfold.recipe import AUGMENTATIONS, Recipe
from tenfold.rooms import find, names
from tests.engine.cases import declared, entries


def those(kind):
    """Entries whose cases say that they are of a kind."""
    return [
        pytest.param(find("augmentations", word), declared("augmentations", word), id=word)
        for word in entries("augmentations")
        if kind in declared("augmentations", word)
    ]


@pytest.mark.parametrize("kind", [torch.uint8, torch.float32], ids=str)
@pytest.mark.parametrize("shape", [(12, 3, 4, 5), (12, 1, 8, 8), (1, 3, 2, 7)], ids=str)
@pytest.mark.parametrize(("augment", "case"), those("noise"))
def test_augmentation_treats_every_image_by_its_own_noise(augment, case, shape, kind, rng):
    images = torch.from_numpy(rng.integers(0, 256, shape)).to(kind)
    noise = case["noise"](rng, len(images))
    once = augment(images.clone(), noise)
    assert once.dtype == kind
    assert torch.equal(once, torch.stack([case["each"](image, u) for image, u in zip(images, noise, strict=True)]))
    assert torch.equal(augment(images.clone(), torch.full_like(noise, case["none"])), images)
    if case["own_inverse"]:
        assert torch.equal(augment(once.clone(), noise), images)


@pytest.mark.parametrize("shape", [(12, 3, 8, 9), (12, 1, 7, 7), (2, 3, 5, 6)], ids=str)
@pytest.mark.parametrize(("augment", "case"), those("alone"))
def test_augmentation_is_its_definition_image_by_image(augment, case, shape, rng):
    images = torch.from_numpy(rng.random(shape, dtype=np.float32))
    before = images.clone()
    changed = augment(images, np.random.default_rng(5), case["strength"])
    assert torch.equal(images, before)
    wanted = case["alone"](images.numpy(), np.random.default_rng(5), case["strength"])
    np.testing.assert_allclose(changed.numpy(), wanted, rtol=1e-5, atol=1e-6)
    assert not torch.equal(changed, images)


@pytest.mark.parametrize("word", sorted(set(names("augmentations")) - {"flip"}))
def test_augmentation_is_a_field_of_the_recipe_and_off_by_itself(word):
    assert getattr(Recipe(), word) == 0
    assert word in AUGMENTATIONS
    with pytest.raises(ValidationError):
        Recipe(**{word: -1})
    with pytest.raises(ValidationError, match="changes pixels"):
        Recipe(**{word: 1}, features="patches")
