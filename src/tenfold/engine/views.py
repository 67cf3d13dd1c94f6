"""The view that each member has of a batch: an image or its mirror image, where their probabilities differ.

Images and, after them, their mirror images are scored together, y (P, 2B, C); a member keeps one of each pair:

    z_b = y_{B+b} where it sees the mirror image, else y_b
    ∂L/∂y = ∂L/∂z where it was kept, else 0
"""

__all__ = ["of_member", "views"]

from functools import partial

import torch
from torch import Tensor

from tenfold.engine.types import Batch, Link, Pull


def views(batch: Batch) -> tuple[Link, ...]:
    """Return the link behind a model's own: the choice between the halves, none where all members see the same."""
    return () if batch.mirrored is None else (Link("flip", partial(_kept, mirrored=batch.mirrored)),)


def of_member(batch: Batch, row: int) -> Batch:
    """Return the batch as the member in that row sees it."""
    return batch if batch.mirrored is None else batch._replace(mirrored=batch.mirrored[[row]])


def _kept(scores: Tensor, mirrored: Tensor) -> tuple[Tensor, Pull]:
    """Choose between the halves. scores: (P, 2B, C); mirrored: (P, B) bool. Returns (P, B, C)."""
    other = mirrored.unsqueeze(-1)
    image, mirror = scores.chunk(2, -2)

    def pull(dz: Tensor, need_dx: bool = True) -> tuple[Tensor | None]:
        return (torch.cat((dz.masked_fill(other, 0), dz.masked_fill(~other, 0)), -2) if need_dx else None,)

    return torch.where(other, mirror, image), pull
