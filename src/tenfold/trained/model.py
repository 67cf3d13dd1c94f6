"""A trained model on disk: one member's weights, how an image becomes its inputs, and where it came from."""

__all__ = [
    "ENCODER",
    "Prediction",
    "TrainedModel",
    "embeddings_of",
    "finite_scores",
    "in_training",
    "leading_members",
    "load_model",
    "log_shares",
    "mean_scores",
    "members_of",
    "probabilities",
    "save_model",
    "scores",
    "scores_of",
    "shares",
    "test_views",
    "units",
    "weights_sha256",
]

import hashlib
import importlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from tenfold import files
from tenfold.data.digests import LENGTH, contained, digests_of
from tenfold.data.types import LARGEST
from tenfold.data.units import Units, units_of
from tenfold.engine.types import Params
from tenfold.errors import DataError, FileError, UsageError
from tenfold.rooms import find, marked
from tenfold.trained.ensemble import Ensemble, mixed
from tenfold.trained.views import views

if TYPE_CHECKING:
    from tenfold.data.given import Several

KIND = "tenfold model"
# What the names of tensors begin with that are no weights.
INPUT, FEATURE, SEEN = "input.", "feature.", "seen."
NONE_SEEN = torch.zeros(0, LENGTH, dtype=torch.uint8)
ENSEMBLE = "ensemble"
SLICE = 1000
ENCODER = "it is an encoder, which knows no classes: `tenfold probe RUN` trains a classifier on its embeddings"
"""Answer to whoever asks an encoder for classes."""


class Prediction(NamedTuple):
    """An answer of a model about a picture. file: "" where it came from no file; probabilities: class -> probability.

    in_training: whether the model was trained on this picture, None where its file does not tell.
    """

    file: str
    predicted: str
    probabilities: dict[str, float]
    in_training: bool | None


@dataclass(frozen=True)
class TrainedModel:
    """A model with all that prediction needs, and its cause.

    room_name: the model's word, or "ensemble"; model: its shapes; params: name -> (1, ...). factor, offset: (D,),
    feature to input. image_shape: (C, H, W). scale: pixel to unit interval. loss: the word of the loss it was trained
    with. cause: recipe, settings, data, versions. temperature: what its scores are divided by before they become
    probabilities. features: the word for what it sees; learned: what they learned. seen: digests (M, 8) of the pictures
    that it was trained on, none in older files.
    """

    room_name: str
    model: Any
    params: Params
    factor: Tensor
    offset: Tensor
    image_shape: tuple[int, int, int]
    scale: float
    class_names: tuple[str, ...]
    loss: str
    cause: dict[str, Any]
    temperature: float = 1.0
    features: str = "pixels"
    learned: dict[str, Tensor] = field(default_factory=dict)
    seen: Tensor = NONE_SEEN

    def predict(self, given: "Several") -> Prediction | list[Prediction]:
        """Say what is in a picture, or in each of several.

        given: path of an image file or of a folder of them, a file's bytes, an image of Pillow's, an array or tensor
        (H, W), (H, W, C) or (C, H, W), or (N, …) of them; or a list of these. Files are opened as `tenfold predict`
        does it. Arrays hold bytes, numbers from 0 to 1, or the units of the model's data. Raises DataError for what
        cannot be read and for pixels in other units, UsageError for what is no picture.
        """
        answers: list[Prediction] | Prediction = importlib.import_module("tenfold.trained.answer").answers(self, given)
        return answers


def units(trained: TrainedModel) -> Units:
    """Return the units of its pixels."""
    return units_of(trained.scale, trained.cause.get("data", {}).get("values") or (), trained.image_shape)


def in_training(trained: TrainedModel, images: Tensor) -> Tensor | None:
    """Tell which images (N, C, H, W) the model was trained on, (N,) bool; None where its file does not tell.

    The images are in the pixel units of the model's data.
    """
    if not len(trained.seen):
        return None
    return contained(digests_of(images, trained.scale), trained.seen)


def save_model(path: Path, trained: TrainedModel) -> None:
    """Write atomically, checksummed, without the axis of members."""
    tensors = {name: tensor[0].contiguous() for name, tensor in trained.params.items()}
    tensors |= {f"{FEATURE}{name}": tensor for name, tensor in trained.learned.items()}
    tensors |= {f"{INPUT}factor": trained.factor, f"{INPUT}offset": trained.offset}
    tensors |= {f"{SEEN}pictures": trained.seen} if len(trained.seen) else {}
    described = {
        "kind": KIND,
        "model": trained.room_name,
        "shapes": asdict(trained.model),
        "image_shape": trained.image_shape,
        "scale": trained.scale,
        "class_names": trained.class_names,
        "loss": trained.loss,
        "temperature": trained.temperature,
        "features": trained.features,
        "cause": trained.cause,
    }
    files.save(path, tensors, described)


def load_model(path: Path | str) -> TrainedModel:
    """Read a model file; a FileError names the file and what is wrong with it."""
    tensors, described = files.load(Path(path))
    if described.get("kind") != KIND:
        raise FileError(
            f"{path}: holds no model (it says {described.get('kind')!r}); give a run folder or its model.tenfold"
        )
    try:
        trained = TrainedModel(
            described["model"],
            _built(described["model"], described["shapes"]),
            {name: tensor[None] for name, tensor in tensors.items() if not name.startswith((INPUT, FEATURE, SEEN))},
            tensors[f"{INPUT}factor"],
            tensors[f"{INPUT}offset"],
            tuple(described["image_shape"]),
            float(described["scale"]),
            tuple(described["class_names"]),
            described["loss"],
            described["cause"],
            float(described["temperature"]),
            described.get("features", "pixels"),  # older files see nothing else
            {name.removeprefix(FEATURE): t for name, t in tensors.items() if name.startswith(FEATURE)},
            tensors.get(f"{SEEN}pictures", NONE_SEEN),
        )
        _check(trained)
    except (LookupError, TypeError, AttributeError, ValueError, RuntimeError, UsageError) as error:
        raise FileError(f"{path}: not a model that this version can read ({error})") from None
    return trained


def _built(word: str, shapes: dict[str, Any]) -> Any:
    """Return a model of these shapes, as JSON holds them."""
    sizes: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in shapes.items()}
    return Ensemble(**sizes) if word == ENSEMBLE else find("models", word)(**sizes)


def scores(trained: TrainedModel, images: Tensor) -> Tensor:
    """Return the scores (N, C), float64, of images (N, channels, H, W) in the pixel units of the model's data."""
    return scores_of(trained, find("features", trained.features).transform(trained.learned, images))


def scores_of(trained: TrainedModel, features: Tensor) -> Tensor:
    """Return the scores (N, C), float64, of images by what the model sees of them, (N, D).

    Raises UsageError for an encoder.
    """
    if isinstance(trained.model, Ensemble):
        return mean_scores(trained, [scores_of(member, features) for member in members_of(trained)])
    if not trained.model.classes:
        raise UsageError(ENCODER)
    x = torch.addcmul(trained.offset, features.to(trained.factor.dtype), trained.factor)
    word, mirrors = test_views(trained)
    if word == "none":
        return _scored(trained, x)
    seen = views(x.view(-1, *trained.image_shape), word, mirrors)
    return torch.stack([weight * _scored(trained, images) for weight, images in seen]).sum(0)


def embeddings_of(trained: TrainedModel, features: Tensor) -> Tensor:
    """Return the embeddings (N, E), float64, that an encoder gives images by what it sees of them, (N, D)."""
    return _scored(trained, torch.addcmul(trained.offset, features.to(trained.factor.dtype), trained.factor))


def mean_scores(trained: TrainedModel, answers: Sequence[Tensor]) -> Tensor:
    """Return the scores (N, C) of an ensemble from the scores (N, C) of its members."""
    parts = trained.model.parts
    each = [shares(z, part.loss, part.temperature) for z, part in zip(answers, parts, strict=True)]
    return mixed(each, [part.weight for part in parts])


def members_of(trained: TrainedModel) -> list[TrainedModel]:
    """Return the models whose mean an ensemble is, each as a model of its own; of another model, itself."""
    if not isinstance(trained.model, Ensemble):
        return [trained]
    members = []
    for k, part in enumerate(trained.model.parts):
        params = {name.removeprefix(f"{k}."): t for name, t in trained.params.items() if name.startswith(f"{k}.")}
        member = replace(trained, room_name=part.model, model=part.built(), params=params, loss=part.loss)
        members.append(replace(member, temperature=part.temperature, cause=trained.cause | part.cause))
    return members


def leading_members(trained: TrainedModel, most: int) -> list[tuple[float, TrainedModel]]:
    """Return the members of an ensemble that have the largest shares, with these; of another model, itself with 1."""
    if not isinstance(trained.model, Ensemble):
        return [(1.0, trained)]
    shared = zip((part.weight for part in trained.model.parts), members_of(trained), strict=True)
    return sorted(shared, key=lambda pair: -pair[0])[:most]


def test_views(trained: TrainedModel) -> tuple[str, bool]:
    """Return the word for the views that its scores are the mean of, and whether images are mirrored among them."""
    recipe, settings = (trained.cause.get(name) or {} for name in ("recipe", "settings"))
    return recipe.get("test_views", "none"), bool(settings.get("flip", recipe.get("flip", 0.0)))


def _scored(trained: TrainedModel, x: Tensor) -> Tensor:
    z: Tensor = trained.model.predict(trained.params, {}, x.reshape(-1, *trained.model.takes))[0]
    return z.double()


def finite_scores(trained: TrainedModel, images: Tensor, path: object) -> Tensor:
    """Return the scores (N, C); a DataError that begins with the path where they are not all finite."""
    z = scores(trained, images)
    if not bool(z.isfinite().all()):
        raise DataError(
            f"{path}: its scores are not finite: either its training diverged (train again with a smaller "
            "--learning-rate), or the values of these images are far from those that it was trained on"
        )
    return z


def shares(z: Tensor, loss: str, temperature: float) -> Tensor:
    """Return the probabilities (N, C) from scores (N, C).

    Softmax of z / T; for a per-class loss, the classes' probabilities σ(z / T) as shares of their sum.
    """
    return _tempered(z, loss, temperature).softmax(-1)


def log_shares(z: Tensor, loss: str, temperature: float) -> Tensor:
    """Return the logarithms (N, C) of `shares`, where those would underflow too."""
    return _tempered(z, loss, temperature).log_softmax(-1)


def _tempered(z: Tensor, loss: str, temperature: float) -> Tensor:
    if loss in marked("losses", "PER_CLASS"):  # softmax of ln σ: the shares survive where every σ underflows
        return torch.nn.functional.logsigmoid(z / temperature)
    return z / temperature


def probabilities(trained: TrainedModel, images: Tensor) -> Tensor:
    """Return the calibrated probabilities (N, C) of images (N, channels, H, W) in pixel units of the model's data.

    Raises DataError where the pixels are in other units; `TrainedModel.predict` recognizes them.
    """
    scaled, (low, high) = units(trained), (end.item() for end in images.aminmax())
    if scaled.others(low, high, images.is_floating_point()):
        raise DataError(
            f"pixels have values from {low:g} to {high:g}, the model's data from 0 to {scaled.top:g}: rescale them, or "
            "ask model.predict(images)"
        )
    return shares(scores(trained, images), trained.loss, trained.temperature)


def weights_sha256(params: Mapping[str, Tensor], member: int) -> str:
    """Return the SHA-256 of one member's tensors, in the order of their names, as little-endian contiguous bytes."""
    digest = hashlib.sha256()
    for name in sorted(params):
        digest.update(params[name][member].contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()


def _check(trained: TrainedModel) -> None:
    """Refuse tensors whose shapes are not those that the model itself would make."""
    expected = {name: (1, *shape) for name, shape in trained.model.shapes().items()}
    buffers = trained.model.buffers(1, torch.zeros(0, *trained.model.takes))
    expected |= {name: tuple(tensor.shape) for name, tensor in buffers.items()}
    shapes = {name: tuple(tensor.shape) for name, tensor in trained.params.items()}
    width = math.prod(trained.model.takes)
    if expected != shapes or trained.factor.shape != (width,) or trained.offset.shape != (width,):
        raise ValueError("its tensors do not have the shapes that it states")
    if not 0 < trained.temperature < float("inf"):
        raise ValueError("its temperature is not a positive number")
    if trained.seen.dtype != torch.uint8 or trained.seen.ndim != 2 or trained.seen.shape[1] != LENGTH:
        raise ValueError("its digests of pictures are none")
    if _width(trained) != width or trained.model.classes not in (0, len(trained.class_names)):
        raise ValueError("its image shape or class names do not fit its weights")


def _width(trained: TrainedModel) -> int:
    """Return how many numbers the model sees of an image."""
    channels, height, width = trained.image_shape
    pixels = channels * height * width
    if trained.features == "pixels":
        return pixels
    if pixels > LARGEST:
        raise ValueError("its images are too large")
    blank = torch.zeros(1, channels, height, width)
    return int(find("features", trained.features).transform(trained.learned, blank).shape[1])
