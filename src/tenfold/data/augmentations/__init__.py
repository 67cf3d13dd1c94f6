"""Augmentations: `(images, noise) -> images`, a whole batch at once."""
