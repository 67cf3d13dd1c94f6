"""Training images that are nearest to an image in what the model's last layer sees of it, by Euclidean distance.

Of an ensemble, the last layer of the member with the largest share.
"""

__all__ = ["nearest"]

import torch
from torch import Tensor

from tenfold.engine.chain import through
from tenfold.rooms import find
from tenfold.trained.model import TrainedModel, leading_members

SLICE = 250


def nearest(trained: TrainedModel, asked: Tensor, images: Tensor, rows: Tensor, most: int) -> Tensor:
    """Return positions (Q, most) of the images at rows that are nearest to those asked about, the nearest first.

    asked: (Q, C, H, W), images: (N, C, H, W), in the pixel units of the model's data; rows: (M,) positions in images.
    """
    _, member = leading_members(trained, 1)[0]
    wanted = _seen_last(member, asked)
    distances = [torch.cdist(wanted, _seen_last(member, images[some])) for some in torch.split(rows, SLICE)]
    return rows[torch.cat(distances, 1).topk(min(most, len(rows)), largest=False).indices]


def _seen_last(trained: TrainedModel, images: Tensor) -> Tensor:
    """Return what the last layer sees of images (N, C, H, W), (N, D) float32."""
    features = find("features", trained.features).transform(trained.learned, images)
    x = torch.addcmul(trained.offset, features.to(trained.factor.dtype), trained.factor)
    links = trained.model.links({}, training=False)[:-1]
    return through(links, trained.params, trained.params, x.view(-1, *trained.model.takes))[0].view(len(x), -1).float()
