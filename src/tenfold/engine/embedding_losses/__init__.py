"""Losses of embeddings: `loss(z, y, u, **numbers) -> value, dz`, over pairs or triplets of the rows of a batch.

z: (..., B, D); rows with the same number in y (B,) belong together; u: (B, 2) uniform draws, for losses that draw. What
a loss asks of its batch, its file says: `UNIT = True` for embeddings of length 1, `VIEWS = 2` for two views of every
image, `LABELED = False` where an image's views belong together, not its class.
"""
