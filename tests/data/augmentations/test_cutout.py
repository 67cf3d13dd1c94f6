"""A blank square, pixel by pixel."""

import numpy as np


def alone(images, stream, side):
    rows, columns = (stream.integers(size, size=len(images)) for size in images.shape[-2:])
    changed = images.copy()
    for image, i, j in zip(changed, rows, columns, strict=True):
        top, left = i - side // 2, j - side // 2
        image[:, max(top, 0) : max(top + side, 0), max(left, 0) : max(left + side, 0)] = 0
    return changed


CASES = {"alone": alone, "strength": 3}


def test_the_square_has_the_side_that_was_asked_for():
    changed = alone(np.ones((50, 1, 9, 9)), np.random.default_rng(0), 4)
    assert (changed == 0).sum((1, 2, 3)).max() == 16
