"""Random shifts against numpy's mirrored padding, image by image."""

import numpy as np
import torch

from tenfold.data.augmentations.crop import crop


def alone(images, stream, pixels):
    _, _, height, width = images.shape
    down, right = stream.integers(-pixels, pixels + 1, size=(2, len(images)))
    padded = np.pad(images, ((0, 0), (0, 0), (pixels, pixels), (pixels, pixels)), mode="reflect")
    cuts = zip(padded, down + pixels, right + pixels, strict=True)
    return np.stack([image[:, i : i + height, j : j + width] for image, i, j in cuts])


CASES = {"alone": alone, "strength": 3}


def test_bytes_stay_bytes_and_one_pixel_or_a_shift_past_the_side_is_no_trouble(rng):
    images = torch.from_numpy(rng.integers(0, 256, (4, 1, 1, 3), dtype=np.uint8))
    changed = crop(images, np.random.default_rng(0), 40)
    assert changed.dtype == torch.uint8
    assert changed.shape == images.shape
    assert set(changed.flatten().tolist()) <= set(images.flatten().tolist())
