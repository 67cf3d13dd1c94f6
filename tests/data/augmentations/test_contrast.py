"""Distances from an image's mean, stretched."""

import numpy as np


def alone(images, stream, strength):
    draws = stream.uniform(-strength, strength, size=(len(images), 1, 1, 1)).astype(np.float32)
    return np.stack(
        [image.mean() + (1 + draw) * (image - image.mean()) for image, draw in zip(images, draws, strict=True)]
    )


CASES = {"alone": alone, "strength": 0.4}
