"""Mirror images, image by image."""

import torch


def mirror(image, mirrored):
    return torch.from_numpy(image.numpy()[:, :, ::-1].copy()) if mirrored else image


CASES = {
    "noise": lambda rng, batch: torch.from_numpy(rng.random(batch) < 0.5),
    "none": False,
    "each": mirror,
    "own_inverse": True,
}
