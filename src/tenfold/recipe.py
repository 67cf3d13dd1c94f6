"""One frozen Recipe: every choice of a run by name, with its bounds, its help and the facts that lists are made of.

A field that varies takes several values; each value is then a member of one population. What an entry of a room
declares for itself (`NUMBERS`) is a field as well, behind the field that holds the entry's word.
"""

__all__ = [
    "AUGMENTATIONS",
    "FACTS",
    "FIT",
    "OWNERS",
    "SHAPES",
    "SPLITTING",
    "SWEEP",
    "TEXTS",
    "UNLABELED",
    "VARYING",
    "Recipe",
    "Settings",
]

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.fields import FieldInfo

from tenfold.errors import nearest
from tenfold.rooms import Fact, Hyperparameter, Owner, declared, marked, names, numbers, words

Settings = dict[str, Any]
"""Choices of one member: a recipe's field -> its value."""

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Chance = Annotated[float, Field(ge=0, le=1)]
Share = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
AtLeastOne = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Widths = Annotated[tuple[Annotated[int, Field(ge=1, le=10**6)], ...], Field(min_length=1)]
Channels = tuple[Annotated[int, Field(ge=1, le=10**4)], ...]


GIVEN = Fact(fit=True)
TEXT = Fact(fit=True, text=True)
SPLITS = Fact(splits=True)
SEARCHED = Fact(sweep=True)
DRAWN = Fact(varies=True, owner="initializer", without=("zero",))


class Recipe(BaseModel):
    """Every choice of a run. A field's description is its help on the command line and in docs/cli.md."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    kind: Annotated[Literal["train", "fit", "sweep"], GIVEN] = Field("train", description="what the run does")
    data: Annotated[str, TEXT] = Field("digits", description="name of a data set, a folder of images, or an .npz file")
    name: Annotated[str, TEXT] = Field(
        "", description="name of the data in results and reports; that of the data set, folder or file if left out"
    )
    minutes: Annotated[Positive, GIVEN] = Field(10.0, description="time limit of a fit in minutes")
    seed: Annotated[Seed, Fact(splits=True, fit=True)] = Field(
        0, description="random seed for split, batch order, flips and dropout"
    )
    size: Annotated[int, Field(ge=0, le=1024), GIVEN] = Field(
        0, description="folder of images: side in pixels of the squares that they become; 0: median, at most 64"
    )
    framing: Annotated[Literal["auto", "crop", "squash", "letterbox"], Fact(fit=True, option="fit")] = Field(
        "squash",
        description="folder of images: what becomes of unequal sides: crop keeps the center, squash all of it in other "
        "proportions, letterbox all of it between grey bars; auto, the default: crop for photographs, else squash",
    )
    skip_unreadable: Annotated[bool, GIVEN] = Field(False, description="folder: skip and count unreadable images")
    parts: Annotated[str, TEXT] = Field(
        "", description="folder of images: folders of the parts, like train=a+b,test=c; none: every folder is a class"
    )
    limit: Annotated[Count, GIVEN] = Field(
        0, description="number of training images, drawn with the share of each class kept; 0: all"
    )
    rows: Annotated[str, TEXT] = Field("", description="positions a:b of the training part to train on")
    validation_rows: Annotated[str, TEXT] = Field("", description="positions a:b of the training part to validate on")
    validation: Annotated[Positive, GIVEN] = Field(
        0.1, description="share (below 1) or number of training images held out for validation"
    )
    test: Annotated[Positive, GIVEN] = Field(
        0.2, description="share (below 1) or number of test images, where the data have no test part"
    )
    standardize: Annotated[str, Fact(room="standardizations", splits=True, fit=True)] = Field(
        "channel", description="standardization of inputs, fitted on training images"
    )
    class_weight: Annotated[Literal["none", "balanced"], Fact(splits=True, fit=True)] = Field(
        "none", description="balanced: every class has the same total weight in the training loss"
    )
    metric: Annotated[Literal["accuracy", "macro_f1"], GIVEN] = Field(
        "accuracy", description="validation metric that selects the best member"
    )
    audit: Annotated[bool, GIVEN] = Field(
        False,
        description="find duplicate images first, and keep each group on one side of the split; "
        "the default for fit, and for a folder of images",
    )
    ensemble: Annotated[bool, GIVEN] = Field(False, description="try a mean of several trained models, too")
    precision: Annotated[Literal["float32", "bfloat16", "float64"], Fact(splits=True, fit=True)] = Field(
        "float32", description="number format of matrix products"
    )
    device: Annotated[str, GIVEN] = Field("auto", description="cpu, cuda, or auto: cuda where there is one, else cpu")
    features: Annotated[str, Fact(room="features", numbers=True)] = Field("pixels", description="inputs of the model")
    feature_count: Annotated[int, Field(ge=1, le=10**4)] = Field(
        1600, description="patches: number of K-means centroids"
    )
    encoder_hidden: Annotated[Widths, Fact(widths=True)] = Field(
        (256, 128, 32), description="codes: widths of the encoder's layers; the last is the width of the code"
    )
    encoder_activation: Annotated[str, Fact(room="layers", mark="ACTIVATION")] = Field(
        "relu", description="codes: activation of the encoder's layers"
    )
    encoder_optimizer: Annotated[str, Fact(room="optimizers")] = Field(
        "adam", description="codes: optimizer of the autoencoder"
    )
    encoder_learning_rate: Positive = Field(0.001, description="codes: learning rate of the autoencoder")
    encoder_epochs: AtLeastOne = Field(10, description="codes: training epochs of the autoencoder")
    task: Annotated[str, Fact(room="tasks", numbers=True)] = Field(
        "classify", description="what the model learns, classes or embeddings of images"
    )
    model: Annotated[str, Fact(room="models", numbers=True, splits=True)] = Field("linear", description="model")
    preset: Annotated[str, Fact(room="presets", splits=True)] = Field(
        "fast", description="network; it brings choices of its own for what is not given"
    )
    widths: Annotated[Channels, Fact(splits=True, widths=True)] = Field(
        (), description="channels of the preset's blocks, like 64-256-256; left out: the preset's own"
    )
    depth: Annotated[int, Field(ge=0, le=100), SPLITS] = Field(
        0, description="convolutions (fast) or blocks (resnet) of each width; 0: the preset's own"
    )
    embedding: Annotated[int, Field(ge=0, le=10**5), SPLITS] = Field(
        0, description="width of a layer between features and scores, or of embeddings; 0: none"
    )
    hidden: Annotated[Widths, Fact(splits=True, widths=True)] = Field(
        (128,), description="widths of the hidden layers, like 256-128-64"
    )
    activation: Annotated[str, Fact(room="layers", mark="ACTIVATION", splits=True)] = Field(
        "relu", description="activation of the hidden layers"
    )
    dropout: Annotated[Share, SPLITS] = Field(0.0, description="share of hidden units or features dropped in training")
    loss: Annotated[str | tuple[str, ...], Fact(room="losses", also="embedding_losses", numbers=True, varies=True)] = (
        Field("softmax", description="loss")
    )
    learning_rate: Annotated[Positive | tuple[Positive, ...], Fact(varies=True)] = Field(
        0.01, description="learning rate η"
    )
    l2: Annotated[NotNegative | tuple[NotNegative, ...], Fact(varies=True)] = Field(
        0.0, description="strength λ of the penalty λ Σ W² (gradient 2λW)"
    )
    l1: Annotated[NotNegative | tuple[NotNegative, ...], Fact(varies=True)] = Field(
        0.0, description="strength λ of the penalty λ Σ|W|"
    )
    optimizer: Annotated[str, Fact(room="optimizers", numbers=True, splits=True)] = Field(
        "sgd", description="optimizer"
    )
    schedule: Annotated[str, Fact(room="schedules", numbers=True, splits=True)] = Field(
        "constant", description="schedule of the learning rate"
    )
    warmup: Annotated[NotNegative, SPLITS] = Field(
        0.0, description="epochs in which the learning rate rises linearly to its value"
    )
    clip_norm: Annotated[NotNegative | tuple[NotNegative, ...], Fact(varies=True)] = Field(
        0.0, description="largest norm of a member's gradient; 0: no clipping"
    )
    flip: Annotated[Chance | Literal["photographs"] | tuple[Chance, ...], Fact(varies=True, fit=True)] = Field(
        0.0, description="probability of mirroring a training image; photographs: 0.5 for photographs, else 0"
    )
    flip_turns: Annotated[Literal["random", "alternating"], SPLITS] = Field(
        "random", description="random: drawn anew in every epoch; alternating: each image once each way in two epochs"
    )
    test_views: Annotated[Literal["none", "flip", "flip+shift"], SPLITS] = Field(
        "none", description="views of an image that its final scores are the mean of; mirrored where training mirrors"
    )
    initializer: Annotated[str, Fact(room="initializers", splits=True)] = Field(
        "he", description="distribution of the first weights"
    )
    initializer_scale: Annotated[NotNegative | tuple[NotNegative, ...], DRAWN] = Field(
        1.0, description="factor on the first weights"
    )
    init_seed: Annotated[Seed | tuple[Seed, ...], DRAWN] = Field(0, description="random seed for the first weights")
    batch_size: Annotated[AtLeastOne, SPLITS] = Field(100, description="images in a batch")
    sampling: Annotated[Literal["shuffle", "replacement"], SPLITS] = Field(
        "shuffle", description="shuffle: an epoch is a permutation of the images; replacement: each batch is drawn anew"
    )
    epochs: AtLeastOne = Field(10, description="passes over the training part")
    iterations: Count = Field(0, description="number of updates, in place of epochs; 0: by epochs")
    evaluate_every: Count = Field(0, description="updates between validations; 0: one epoch")
    patience: Count = Field(0, description="stop a member after this many validations without a better score; 0: never")
    min_change: NotNegative = Field(
        0.0, description="stop a member when its training loss changes by less between validations; 0: never"
    )
    vary: Annotated[tuple[str, ...], SEARCHED] = Field((), description="axes of the sweep: field=values and ranges")
    members: Annotated[Count, SEARCHED] = Field(
        0, description="number of settings drawn from ranges; 0: every combination of the listed values"
    )
    sampler: Annotated[str, Fact(room="samplers", sweep=True)] = Field(
        "sobol", description="method that draws settings from ranges"
    )
    rounds: Annotated[AtLeastOne, SEARCHED] = Field(1, description="number of times that the sampler draws settings")
    folds: Annotated[Count, SEARCHED] = Field(0, description="folds of cross-validation; 0: one validation part")
    repeats: Annotated[AtLeastOne, SEARCHED] = Field(1, description="random seeds that each setting is trained with")
    halving: Annotated[Count, SEARCHED] = Field(
        0, description="factor by which the number of members falls during training; 0: all are kept"
    )

    @field_validator("*")
    @classmethod
    def _word(cls, value: Any, info: Any) -> Any:
        fact = FACTS[info.field_name]
        for word in () if not fact.room else value if isinstance(value, tuple) else (value,):
            _check_word(info.field_name.replace("_", " "), word, fact)
        return value

    @field_validator("*", mode="before")
    @classmethod
    def _several(cls, value: Any, info: Any) -> Any:
        """Turn a list of one into that one, but for widths and axes; other lists into tuples, which are hashable."""
        widths = FACTS[info.field_name].widths
        if widths and isinstance(value, int) and not isinstance(value, bool):
            return (value,)
        single = isinstance(value, list) and len(value) == 1 and not widths and info.field_name != "vary"
        return value[0] if single else tuple(value) if isinstance(value, list) else value

    @field_validator("flip", mode="before")
    @classmethod
    def _numbers(cls, value: Any) -> Any:
        if isinstance(value, list | tuple) and len(value) > 1 and "photographs" in value:
            raise ValueError("flip: photographs stands alone, it is 0.5 or 0 for all; several values are numbers")
        return value

    @field_validator("data", "parts", "rows", "validation_rows")
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
        for name, owner in OWNERS.items():
            if getattr(self, name) is True and getattr(self, owner.field) in owner.lacking:
                raise ValueError(f"{name}: belongs to the {owner.field} {' or '.join(owner.having)}")
        for name in ("flip", "test_views", *AUGMENTATIONS) if self.features != "pixels" else ():
            if getattr(self, name) not in (0, "none"):
                does = {"flip": "mirrors", "test_views": "looks at"}.get(name, "changes")
                raise ValueError(f"{name}: {does} pixels; it does not go with the features {self.features}")
        for name in marked("augmentations", "MIXES"):
            if getattr(self, name) and isinstance(self.flip, tuple):
                raise ValueError(f"{name}: mixes images as they are flipped; flip takes one value with it")
        if self.flip_turns == "alternating" and self.sampling != "shuffle":
            raise ValueError("flip_turns: alternating needs epochs; it does not go with sampling replacement")
        return self


def _check_word(name: str, word: str, fact: Fact) -> None:
    entry = word.replace("-", "_")
    if entry in UNLABELED and entry in names(fact.room):
        raise ValueError(f"{name} {word!r} reconstructs images and knows no classes: {nearest(word, _words(fact))}")
    if entry not in (marked(fact.room, fact.mark) if fact.mark else [n for room in fact.rooms for n in names(room)]):
        raise ValueError(f"no {name} {word!r}: {nearest(word, _words(fact))}")


def _words(fact: Fact) -> list[str]:
    return list(marked(fact.room, fact.mark)) if fact.mark else [word for room in fact.rooms for word in words(room)]


def _fact(field: FieldInfo) -> Fact:
    return next((fact for fact in field.metadata if isinstance(fact, Fact)), Fact())


def _declared(room: str) -> Iterator[tuple[Hyperparameter, tuple[str, ...]]]:
    """Yield each number that entries of a room declare, with the words of those that do."""
    having: dict[str, tuple[str, ...]] = {}
    kinds: dict[str, Hyperparameter] = {}
    for word in words(room):
        for number in numbers(room, word):
            if kinds.setdefault(number.name, number) != number:
                raise ValueError(f"{room}: {having[number.name][0]} and {word} declare {number.name} differently")
            having[number.name] = (*having.get(number.name, ()), word)
    return ((kinds[name], users) for name, users in having.items())


def _field(number: Hyperparameter, owner: str, fact: Fact, having: tuple[str, ...]) -> FieldInfo:
    """Make the field of a number that entries declare, as if it stood in the class."""
    kind: Any = Literal[number.words] if number.words else type(number.default)
    if kind in (int, float):
        finite = False if kind is float else None
        bounds: dict[str, Any] = {"ge": number.least, "gt": number.above, "lt": number.below, "allow_inf_nan": finite}
        kind = Annotated[kind, Field(**{name: bound for name, bound in bounds.items() if bound is not None})]
    splits = not number.varies and (fact.splits or fact.varies)
    lacking = tuple(word for word in _words(fact) if word not in having) if owner else ()
    facts = Fact(varies=number.varies, splits=splits, owner=owner, without=lacking)
    annotation: Any = Annotated[kind | tuple[kind, ...] if number.varies else kind, facts]
    field = Field(number.default, description=f"{', '.join(having)}: {number.help}")
    return FieldInfo.from_annotated_attribute(annotation, field)


def _complete() -> None:
    """Put the numbers that entries declare behind the field of their word, and the words of a room into its help."""
    fields: dict[str, FieldInfo] = {}
    for name, field in Recipe.model_fields.items():
        fact = _fact(field)
        fields[name] = field
        if fact.room:
            *others, last = _words(fact)
            field.description = f"{field.description}: {', '.join(others)} or {last}"
        for number, having in (n for room in fact.rooms for n in _declared(room)) if fact.numbers else ():
            if number.name in Recipe.model_fields or number.name in fields:
                raise ValueError(f"{fact.room}: {number.name} is a field of the recipe already")
            fields[number.name] = _field(number, name, fact, having)
        for number, having in _declared("augmentations") if name == "flip_turns" else ():
            fields[number.name] = _field(number, "", Fact(splits=True), having)
    Recipe.__pydantic_fields__.clear()
    Recipe.__pydantic_fields__.update(fields)
    Recipe.model_rebuild(force=True)


def _facts() -> dict[str, Fact]:
    """Return the facts of every field; one that some models use (`USES`) is owned by those."""
    facts = {name: _fact(field) for name, field in Recipe.model_fields.items()}
    uses = {word: declared("models", word, "USES", ()) for word in words("models")}
    for name in {name for used in uses.values() for name in used}:
        lacking = tuple(word for word, used in uses.items() if name not in used)
        facts[name] = facts[name]._replace(owner="model", without=lacking)
        field = Recipe.model_fields[name]
        field.description = f"{', '.join(word for word in uses if word not in lacking)}: {field.description}"
    return facts


AUGMENTATIONS = tuple(number.name for number, _ in _declared("augmentations"))
"""Fields that augmentations declare; 0 leaves them out."""

UNLABELED = tuple(word for room in ("models", "losses", "tasks") for word in marked(room, "UNLABELED"))
"""Models, losses and tasks that learn from images without labels: no classifier takes them."""

_complete()
FACTS = _facts()
"""Field -> what lists need to know of it."""

OWNERS = {
    name: Owner(fact.owner, tuple(w for w in _words(FACTS[fact.owner]) if w not in fact.without), fact.without)
    for name, fact in FACTS.items()
    if fact.owner
}
"""Field that means nothing by itself -> the field whose word decides whether it does."""

SHAPES = tuple(name for name, fact in FACTS.items() if fact.widths)
"""Fields that hold the widths of layers: a list of numbers is one value of them."""

TEXTS = tuple(name for name, fact in FACTS.items() if fact.text)
"""Fields whose text is one value, whatever commas and colons it has."""

FIT = tuple(name for name, fact in FACTS.items() if fact.fit)
"""Fields that a run of kind "fit" leaves to the user; the rest is what it searches."""

SWEEP = tuple(name for name, fact in FACTS.items() if fact.sweep)
"""Fields that only a run of kind "sweep" has."""

VARYING = tuple(name for name, fact in FACTS.items() if fact.varies)
"""Fields that may differ between the members of a population; every other field is shared by its members."""

SPLITTING = tuple(name for name, fact in FACTS.items() if fact.splits)
"""Fields that may be axes, and whose values the members of a population share: each combination is one of its own."""
