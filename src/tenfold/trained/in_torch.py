"""Operations of a model that torch has no module for. The export copies the source of those that it needs."""

__all__ = ["patches", "views", "weights"]

import json
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional


def views(x: Tensor, shifted: bool, mirrored: bool) -> Tensor:
    """Return images (n, c, h, w), and behind them the other views of them that the scores are a mean of."""
    seen = [x]
    if shifted:
        wide = functional.pad(x, (1, 1, 1, 1), "reflect")
        seen += [wide[..., :-2, :-2], wide[..., 2:, 2:]]
    if mirrored:
        seen = [view for image in seen for view in (image, image.flip(-1))]
    return torch.cat(seen)


def patches(
    x: Tensor, factor: float, centroids: Tensor, mean: Tensor, whitening: Tensor, center: Tensor, decorrelation: Tensor
) -> Tensor:
    """Return how near the 6 × 6 patches of images (n, c, h, w) are to k centroids, summed by quadrants: (n, 4 k)."""
    windows = x.unfold(2, 6, 1).unfold(3, 6, 1)
    p = factor * windows.permute(0, 2, 3, 1, 4, 5).flatten(3)
    p = p - p.mean(-1, keepdim=True)
    p = p / (p.square().sum(-1, keepdim=True) / (p.shape[-1] - 1) + 10).sqrt()
    w = (p - mean) @ whitening
    square = w.square().sum(-1, keepdim=True) - 2 * w @ centroids.T + centroids.square().sum(1)
    distance = square.clamp(min=0).sqrt()
    near = (distance.mean(-1, keepdim=True) - distance).relu()
    halves = [half for part in near.tensor_split(2, 1) for half in part.tensor_split(2, 2)]
    sums = torch.stack([half.sum((1, 2)) for half in halves], 1)
    return ((sums - center) @ decorrelation).flatten(1)


def weights(path: Path) -> dict[str, Tensor]:
    """Read a file of safetensors that holds float32 alone, by the layout of that format."""
    content = bytearray(path.read_bytes())
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    named = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            flat = torch.frombuffer(content, dtype=torch.float32, count=(end - begin) // 4, offset=8 + length + begin)
            named[name] = flat.view(entry["shape"])
    return named
