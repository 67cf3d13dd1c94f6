"""Augmentations: `(images, stream, strength) -> images`, a whole batch at once, all draws from one stream of numbers.

One that says `ON_PIXELS = True` takes images as they were read, the others take standardized inputs (B, C, H, W).
"""
