"""One frozen Recipe from TOML, command-line options or keywords: every choice of a run by name, unknown names refused.

A field typed `Numbers` (or `Words`, `Seeds`) takes several values; each value is then a member of one population.
"""

__all__ = [
    "FIT",
    "SHAPES",
    "SWEEP",
    "VARYING",
    "Recipe",
    "Settings",
    "members",
    "parse",
    "read",
    "recipe",
    "text",
    "words",
]

import itertools
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from tenfold.errors import UsageError, nearest
from tenfold.rooms import names

Settings = dict[str, Any]
"""Choices of one member: a recipe's field -> its value."""

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Chance = Annotated[float, Field(ge=0, le=1)]
Share = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Widths = Annotated[tuple[Annotated[int, Field(ge=1, le=10**6)], ...], Field(min_length=1)]
Activation = Literal["relu", "leaky_relu", "sigmoid", "tanh", "identity"]

SHAPES = ("hidden", "encoder_hidden")
"""Fields that hold the widths of layers: a list of numbers is one value of them."""

UNLABELED = ("autoencoder", "mean_squared_error", "squared_error")
"""Models and losses that learn from images without labels: no classifier takes them."""


class Recipe(BaseModel):
    """Every choice of a run. A field's description is its help on the command line and in docs/cli.md."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    kind: Literal["train", "fit", "sweep"] = Field("train", description="what the run does")
    data: str = Field("digits", description="a data set's name, a folder of images, or an .npz")
    size: Annotated[int, Field(ge=0, le=1024)] = Field(
        0, description="side in pixels of a folder's images; 0: median side, at most 64"
    )
    skip_unreadable: bool = Field(False, description="count broken images and go on")
    limit: Count = Field(0, description="train on a stratified sample of this many images; 0: all")
    rows: str = Field("", description="positions a:b of the training part to train on")
    validation_rows: str = Field("", description="positions a:b of the training part to validate on")
    validation: Positive = Field(
        0.1, description="share (below 1) or number of training images held out for validation"
    )
    test: Positive = Field(0.2, description="share or number of images tested on, where the data have no test part")
    standardize: str = Field(
        "channel", description="pixel, channel, mean-image, unit or none; statistics of the training part"
    )
    class_weight: Literal["none", "balanced"] = Field(
        "none", description="balanced: every class weighs the same in the loss"
    )
    metric: Literal["accuracy", "macro_f1"] = Field(
        "accuracy", description="what the best is best by on the validation part: accuracy or macro_f1"
    )
    audit: bool = Field(False, description="look for duplicates first, and keep them on one side of the split")
    flip: Chance | Literal["photographs"] | tuple[Chance, ...] = Field(
        0.0, description="probability of mirroring an image; photographs: 0.5 for photographs, else 0"
    )
    features: str = Field("pixels", description="what the model sees: pixels, patches or codes")
    feature_count: Annotated[int, Field(ge=1, le=10**4)] = Field(
        1600, description="of patches: how many kinds of them the features tell apart"
    )
    encoder_hidden: Widths = Field(
        (256, 128, 32), description="of codes: widths of the encoder's layers, the last is the code's"
    )
    encoder_activation: Activation = Field(
        "relu", description="of codes: of those layers, relu, leaky_relu, sigmoid, tanh or identity"
    )
    encoder_optimizer: str = Field("adam", description="of codes: sgd or adam")
    encoder_learning_rate: Positive = Field(0.001, description="of codes: step size of the autoencoder's training")
    encoder_epochs: Annotated[int, Field(ge=1)] = Field(
        10, description="of codes: passes of the autoencoder's training"
    )
    model: str = Field("linear", description="linear or mlp")
    hidden: Widths = Field((128,), description="widths of an mlp's hidden layers, like 256-128-64")
    activation: Activation = Field(
        "relu", description="of the hidden layers: relu, leaky_relu, sigmoid, tanh or identity"
    )
    dropout: Share = Field(0.0, description="share of hidden units dropped in training")
    loss: str | tuple[str, ...] = Field("softmax", description="softmax, hinge, weston_watkins or sigmoid")
    initializer: str = Field("he", description="zero, random, normal, he or xavier")
    initializer_scale: NotNegative | tuple[NotNegative, ...] = Field(1.0, description="factor on the first weights")
    init_seed: Seed | tuple[Seed, ...] = Field(0, description="seed of the first weights")
    optimizer: str = Field("sgd", description="sgd or adam")
    learning_rate: Positive | tuple[Positive, ...] = Field(0.01, description="step size η")
    momentum: Share | tuple[Share, ...] = Field(0.0, description="of sgd")
    nesterov: bool = Field(False, description="Nesterov's momentum")
    beta1: Share | tuple[Share, ...] = Field(0.9, description="of adam")
    beta2: Share | tuple[Share, ...] = Field(0.999, description="of adam")
    schedule: str = Field("constant", description="constant, step or cosine")
    decay_factor: Positive | tuple[Positive, ...] = Field(0.5, description="factor of the step schedule")
    decay_every: Annotated[int, Field(ge=1)] = Field(10, description="interval of the step schedule")
    decay_unit: Literal["epochs", "iterations"] = Field("epochs", description="unit of that interval")
    warmup: NotNegative = Field(0.0, description="epochs in which the rate rises linearly to its value")
    batch_size: Annotated[int, Field(ge=1)] = Field(100, description="images in a step")
    sampling: Literal["shuffle", "replacement"] = Field(
        "shuffle", description="an epoch is a permutation, or every batch a draw"
    )
    epochs: Annotated[int, Field(ge=1)] = Field(10, description="passes over the training part")
    iterations: Count = Field(0, description="updates, instead of epochs; 0: by epochs")
    l1: NotNegative | tuple[NotNegative, ...] = Field(0.0, description="λ in λ Σ|W|")
    l2: NotNegative | tuple[NotNegative, ...] = Field(0.0, description="λ in λ Σ W² (gradient 2λW)")
    clip_norm: NotNegative | tuple[NotNegative, ...] = Field(
        0.0, description="largest norm of the cost's gradient; 0: no clipping"
    )
    evaluate_every: Count = Field(0, description="updates between validations; 0: once an epoch")
    patience: Count = Field(0, description="stop after this many validations without a better accuracy; 0: never")
    min_change: NotNegative = Field(0.0, description="stop when the training loss changes by less between validations")
    precision: Literal["float32", "bfloat16", "float64"] = Field(
        "float32", description="of the numbers that are multiplied"
    )
    device: str = Field("auto", description="auto (cuda where there is one, else cpu), cpu or cuda")
    seed: Seed = Field(0, description="of the split, the order, the flips and the masks")
    minutes: Positive = Field(10.0, description="time that fit may take")
    vary: tuple[str, ...] = Field((), description="what a sweep searches: field=values and ranges")
    members: Count = Field(0, description="settings to try, where there are ranges; 0: every combination of the lists")
    sampler: str = Field("sobol", description="how ranges are sampled: sobol, random, tpe or cma_es")
    rounds: Annotated[int, Field(ge=1)] = Field(1, description="times that the sampler is asked for more settings")
    folds: Count = Field(0, description="cross-validation over this many folds; 0: one validation part")
    repeats: Annotated[int, Field(ge=1)] = Field(1, description="seeds that every setting is repeated with")
    halving: Count = Field(0, description="factor by which the members become fewer on the way; 0: all go on")

    @field_validator(
        "features",
        "standardize",
        "encoder_optimizer",
        "model",
        "loss",
        "initializer",
        "optimizer",
        "schedule",
        "sampler",
    )
    @classmethod
    def _word(cls, value: Any, info: Any) -> Any:
        room, name = ROOMS[info.field_name], info.field_name.replace("_", " ")
        known = words(room)
        for word in value if isinstance(value, tuple) else (value,):
            entry = word.replace("-", "_")
            if entry not in names(room):
                raise ValueError(f"no {name} {word!r}: {nearest(word, known)}")
            if entry in UNLABELED:
                raise ValueError(f"{name} {word!r} reconstructs images and knows no classes: {nearest(word, known)}")
        return value

    @field_validator("*", mode="before")
    @classmethod
    def _several(cls, value: Any, info: Any) -> Any:
        """A list of one is that one, but for widths and axes; lists become tuples, so that a recipe is hashable."""
        single = isinstance(value, list) and len(value) == 1 and info.field_name not in (*SHAPES, "vary")
        return value[0] if single else tuple(value) if isinstance(value, list) else value

    @field_validator("flip", mode="before")
    @classmethod
    def _numbers(cls, value: Any) -> Any:
        if isinstance(value, list | tuple) and len(value) > 1 and "photographs" in value:
            raise ValueError("flip: photographs stands alone, it is 0.5 or 0 for all; several values are numbers")
        return value

    @field_validator(*SHAPES, mode="before")
    @classmethod
    def _widths(cls, value: Any) -> Any:
        return (value,) if isinstance(value, int) and not isinstance(value, bool) else value

    @field_validator("data", "rows", "validation_rows")
    @classmethod
    def _text(cls, value: str) -> str:
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{value!r}: is not valid Unicode; rename the folder or file") from None
        return value

    @model_validator(mode="after")
    def _together(self) -> "Recipe":
        for name in VARYING:
            value = getattr(self, name)
            if isinstance(value, tuple) and (not value or len(set(value)) < len(value)):
                raise ValueError(f"{name}: give each value once, at least one")
        if self.nesterov and self.optimizer != "sgd":
            raise ValueError("nesterov: belongs to the optimizer sgd")
        if self.features != "pixels" and self.flip != 0:
            raise ValueError(f"flip: mirrors pixels; it does not go with the features {self.features}")
        return self


ROOMS = {
    "features": "features",
    "standardize": "standardizations",
    "encoder_optimizer": "optimizers",
    "model": "models",
    "loss": "losses",
    "initializer": "initializers",
    "optimizer": "optimizers",
    "schedule": "schedules",
    "sampler": "samplers",
}

FIT = (
    "kind",
    "data",
    "minutes",
    "seed",
    "size",
    "flip",
    "limit",
    "rows",
    "validation_rows",
    "validation",
    "test",
    "standardize",
    "class_weight",
    "metric",
    "audit",
    "precision",
    "device",
    "skip_unreadable",
)
"""Fields that a run of kind "fit" leaves to the user; the rest is what it searches."""

SWEEP = ("vary", "members", "sampler", "rounds", "folds", "repeats", "halving")
"""Fields that only a run of kind "sweep" has."""

VARYING = (
    "loss",
    "learning_rate",
    "l2",
    "l1",
    "momentum",
    "beta1",
    "beta2",
    "decay_factor",
    "clip_norm",
    "flip",
    "initializer_scale",
    "init_seed",
)
"""Fields that may differ between the members of a population; every other field is shared by its members."""


def recipe(choices: dict[str, Any]) -> Recipe:
    """A Recipe from named choices; a UsageError in one line that names the field, the value and what would do."""
    unknown = [str(name) for name in choices if name not in Recipe.model_fields]
    if unknown:
        raise UsageError(f"unknown option {unknown[0]!r}: {nearest(unknown[0], Recipe.model_fields)}")
    if choices.get("kind") == "fit":
        _refuse_what_fit_chooses(choices)
    elif choices.get("kind") != "sweep":
        _refuse_what_a_sweep_has(choices)
    several = [name for name, value in choices.items() if _alternatives(name, value)]
    if several:
        raise UsageError(
            f"{several[0]} takes one value in a run: its values would be separate populations; "
            "`tenfold sweep` takes several"
        )
    try:
        return Recipe.model_validate({name: list(v) if isinstance(v, tuple) else v for name, v in choices.items()})
    except ValidationError as error:
        raise UsageError(_explain(error)) from None


def _refuse_what_fit_chooses(choices: dict[str, Any]) -> None:
    """A fit's recipe may name what fit searches, as its file does, but not ask for another value of it."""
    for name, value in choices.items():
        plain = tuple(value) if isinstance(value, list) else value
        if name not in FIT and plain != Recipe.model_fields[name].default:
            known = ", ".join(FIT[2:])
            raise UsageError(f"{name} is chosen by fit itself; `tenfold train` takes it, fit takes {known}")
        if name in FIT and name in VARYING and isinstance(plain, tuple) and len(plain) > 1:
            raise UsageError(f"{name} takes one value in a fit; `tenfold train` and `tenfold sweep` take several")


def _refuse_what_a_sweep_has(choices: dict[str, Any]) -> None:
    for name in SWEEP:
        if name in choices and choices[name] not in (Recipe.model_fields[name].default, []):
            raise UsageError(f"{name} belongs to a sweep: `tenfold sweep` takes it")


def _alternatives(name: str, value: Any) -> bool:
    """Whether a field that splits populations was given several values."""
    if name in (*VARYING, "vary") or not isinstance(value, list | tuple):
        return False
    return len(value) > 1 if name not in SHAPES else any(isinstance(width, list | tuple) for width in value)


def members(recipe: Recipe) -> list[dict[str, Any]]:
    """Settings of every member: the product of the fields that have several values, members of one loss side by side.

    >>> members(Recipe(learning_rate=(0.1, 0.2), loss="hinge"))
    [{'loss': 'hinge', 'learning_rate': 0.1, 'l2': 0.0}, {'loss': 'hinge', 'learning_rate': 0.2, 'l2': 0.0}]
    """
    lists = {name: value if isinstance(value := getattr(recipe, name), tuple) else (value,) for name in VARYING}
    shown = [name for name in VARYING if len(lists[name]) > 1 or name in ("loss", "learning_rate", "l2")]
    return [dict(zip(shown, values, strict=True)) for values in itertools.product(*(lists[name] for name in shown))]


def read(path: Path) -> Recipe:
    """A Recipe from a TOML file."""
    try:
        return recipe(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise UsageError(f"{path}: no such recipe file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError, OSError) as error:
        raise UsageError(f"{path}: not a readable TOML recipe ({error})") from None
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def text(recipe: Recipe) -> str:
    """The recipe as TOML, every field in its order, so that a file says all that it leaves to defaults today."""
    return "".join(f"{name} = {_toml(getattr(recipe, name))}\n" for name in Recipe.model_fields)


def parse(name: str, value: str) -> Any:
    """An option's text to a field's value: a comma separates alternatives, a dash the widths of hidden layers.

    >>> parse("learning_rate", "0.1,1e-3"), parse("hidden", "256-128"), parse("loss", "hinge")
    ([0.1, 0.001], [256, 128], 'hinge')
    """
    if name in SHAPES:
        shapes = [[_scalar(part) for part in shape.split("-")] for shape in value.split(",")]
        return shapes[0] if len(shapes) == 1 else shapes
    pieces = [_scalar(part.strip()) for part in value.split(",")]
    return pieces[0] if len(pieces) == 1 else pieces


def words(room: str) -> list[str]:
    """Words of a room that a recipe takes, as one types them.

    >>> words("models")
    ['linear', 'mlp']
    """
    typed = [word.replace("_", "-") if room == "standardizations" else word for word in names(room)]
    return [word for word in typed if word not in UNLABELED]


def _scalar(word: str) -> Any:
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, str):
        escaped = "".join(
            f"\\u{ord(c):04x}" if ord(c) < 32 or ord(c) == 127 else c
            for c in value.replace("\\", "\\\\").replace('"', '\\"')
        )
        return f'"{escaped}"'
    return repr(value)


def _explain(error: ValidationError) -> str:
    """The first complaint of pydantic as one plain line."""
    first = error.errors()[0]
    if first["type"] == "value_error":
        return str(first["ctx"]["error"])
    field = str(first["loc"][0])
    if first["type"] == "literal_error" and isinstance(first["input"], str):
        words = [word.strip("'") for word in first["ctx"]["expected"].replace(" or ", ", ").split(", ")]
        return f"no {field.replace('_', ' ')} {first['input']!r}: {nearest(first['input'], words)}"
    # A union complains once for each of its kinds; together they say what would do.
    told = [e["msg"].removeprefix("Input should be ") for e in error.errors() if e["loc"][:1] == first["loc"][:1]]
    wanted = (
        " or ".join(dict.fromkeys(message.partition(", unable")[0] for message in told if message != "a valid tuple"))
        or "a list of integers"
    )
    return f"{field} = {first['input']!r}: should be {wanted} ({Recipe.model_fields[field].description})"
