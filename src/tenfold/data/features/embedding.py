"""Embeddings of a trained encoder, frozen: what a probe learns from in place of pixels.

The encoder is read from its model file once; it is then part of what is learned, so that a model on top of it predicts
from images by itself.
"""

__all__ = ["embedding"]

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tenfold import files
from tenfold.data.types import Dataset, Feature
from tenfold.engine.layers.unit_length import unit_length
from tenfold.engine.types import Model
from tenfold.errors import UsageError
from tenfold.recipe import Recipe
from tenfold.rooms import Hyperparameter, find

NUMBERS = (
    Hyperparameter("encoder", "", "run folder or model file of the encoder that gives them"),
    Hyperparameter(
        "encoder_length",
        "raw",
        "length of the embeddings: raw, as the encoder gives them, or unit",
        words=("raw", "unit"),
    ),
)
KIND = "tenfold model"
WEIGHT, INPUT, DESCRIBED = "network.", "input.", "described"
SLICE = 500


def _fit(
    dataset: Dataset, rows: Tensor, recipe: Recipe, device: torch.device, watch: Callable[[str], None]
) -> dict[str, Tensor]:
    """Return the encoder of a model file as tensors; a UsageError where it is none, or takes other images."""
    chosen = recipe.model_dump()
    path = Path(str(chosen["encoder"]))
    if not chosen["encoder"]:
        raise UsageError("features embedding: give an --encoder, the run folder or model file that they come from")
    tensors, described = files.load(path / "model.tenfold" if path.is_dir() else path)
    _check(path, described, dataset)
    inside = {"model": described["model"], "shapes": described["shapes"], "length": chosen["encoder_length"]}
    watch(f"features: embeddings of {path}, frozen")
    learned = {name: t for name, t in tensors.items() if name in (f"{INPUT}factor", f"{INPUT}offset")}
    learned |= {
        f"{WEIGHT}{name}": t for name, t in tensors.items() if not name.startswith((INPUT, "seen.", "feature."))
    }
    return {**learned, DESCRIBED: torch.tensor(list(json.dumps(inside).encode()), dtype=torch.uint8)}


def _check(path: Path, described: Mapping[str, Any], dataset: Dataset) -> None:
    """Refuse a model file that holds no encoder, and an encoder of other images."""
    if described.get("kind") != KIND or described["shapes"].get("classes") != 0:
        raise UsageError(
            f"{path}: holds no encoder; give the run folder of `tenfold train DATA --task contrast …` or its model file"
        )
    takes, there = tuple(described["image_shape"]), tuple(dataset.images.shape[1:])
    if takes != there:
        shapes = [" × ".join(map(str, shape)) for shape in (takes, there)]
        raise UsageError(f"{path}: the encoder takes images of {shapes[0]}, those of {dataset.name} are {shapes[1]}")


def _transform(learned: Mapping[str, Tensor], images: Tensor) -> Tensor:
    """Return (N, E) of images (N, C, H, W)."""
    inside = json.loads(bytes(learned[DESCRIBED].tolist()))
    shapes = {name: tuple(v) if isinstance(v, list) else v for name, v in inside["shapes"].items()}
    model: Model = find("models", inside["model"])(**shapes)
    params = {name.removeprefix(WEIGHT): t[None] for name, t in learned.items() if name.startswith(WEIGHT)}
    params = {name: tensor.to(images.device) for name, tensor in params.items()}
    factor, offset = (learned[f"{INPUT}{name}"].to(images.device) for name in ("factor", "offset"))
    pieces = []
    for some in torch.split(images.flatten(1), SLICE):
        x = torch.addcmul(offset, some.to(factor.dtype), factor)
        h = model.predict(params, {}, x.view(-1, *model.takes))
        pieces.append((unit_length(h)[0] if inside["length"] == "unit" else h)[0].float())
    return torch.cat(pieces).contiguous()


embedding = Feature(_fit, _transform)
