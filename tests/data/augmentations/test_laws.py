"""The laws of augmentations, over every entry."""

import pytest
import torch

from tenfold.rooms import find
from tests.engine.cases import declared, entries

AUGMENTATIONS = [
    pytest.param(find("augmentations", word), declared("augmentations", word), id=word)
    for word in entries("augmentations")
]


@pytest.mark.parametrize("kind", [torch.uint8, torch.float32], ids=str)
@pytest.mark.parametrize("shape", [(12, 3, 4, 5), (12, 1, 8, 8), (1, 3, 2, 7)], ids=str)
@pytest.mark.parametrize(("augment", "case"), AUGMENTATIONS)
def test_augmentation_treats_every_image_by_its_own_noise(augment, case, shape, kind, rng):
    images = torch.from_numpy(rng.integers(0, 256, shape)).to(kind)
    noise = case["noise"](rng, len(images))
    once = augment(images.clone(), noise)
    assert once.dtype == kind
    assert torch.equal(once, torch.stack([case["each"](image, u) for image, u in zip(images, noise, strict=True)]))
    assert torch.equal(augment(images.clone(), torch.full_like(noise, case["none"])), images)
    if case["own_inverse"]:
        assert torch.equal(augment(once.clone(), noise), images)
