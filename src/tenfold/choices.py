"""From choices to a Recipe and back: TOML, command-line options or keywords, an unknown name or value refused."""

__all__ = ["applicable", "members", "of_preset", "parse", "read", "recipe", "text"]

import importlib
import itertools
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tenfold.errors import UsageError, nearest
from tenfold.recipe import FACTS, FIT, OWNERS, SHAPES, SWEEP, TEXTS, VARYING, Recipe, Settings
from tenfold.rooms import declared, names, words
from tenfold.text import toml

OF_CLASSES = (
    ("features", "pixels"),
    ("mixup", 0.0),
    ("class_weight", "none"),
    ("test_views", "none"),
    ("ensemble", False),
)
"""Fields that an encoder has no use for, and their value without one."""


def recipe(choices: dict[str, Any], alone: bool = False) -> Recipe:
    """Make a Recipe from named choices; a UsageError names the field, the value and what would do, in one line.

    alone: the choices are judged by themselves, not by whether they go with the task.
    """
    unknown = [str(name) for name in choices if name not in Recipe.model_fields]
    if unknown:
        raise UsageError(f"unknown option {unknown[0]!r}: {nearest(unknown[0], Recipe.model_fields)}")
    choices = {**choices, **{name: value for name, value in _of_task(choices).items() if name not in choices}}
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
        made = Recipe.model_validate({name: list(v) if isinstance(v, tuple) else v for name, v in choices.items()})
    except ValidationError as error:
        raise UsageError(_explain(error)) from None
    if not alone:
        _check_task(made)
    return made


def _of_task(choices: dict[str, Any]) -> dict[str, Any]:
    """Return the choices that a task and a preset bring; some of a preset's are for classifiers alone."""
    task = str(choices.get("task", Recipe.model_fields["task"].default))
    brought, instead = (dict(declared("tasks", task, name, ())) for name in ("CHOICES", "INSTEAD"))
    return {**brought, **of_preset(choices), **instead}


def _check_task(made: Recipe) -> None:
    """Refuse a loss that is not one of the recipe's task, and what an encoder has no use for."""
    room = declared("tasks", made.task, "LOSSES", "losses")
    for word in made.loss if isinstance(made.loss, tuple) else (made.loss,):
        if word not in names(room):
            needs = "embeddings: it needs --task contrast"
            needs = needs if room == "losses" else f"scores: --task contrast takes {', '.join(words(room))}"
            raise UsageError(f"loss {word} is one of {needs}")
    if made.task != "contrast":
        return
    if "embedding" not in declared("models", made.model, "USES", ()):
        raise UsageError(f"model {made.model} has no embedding to train: --task contrast takes --model convnet or mlp")
    if not made.embedding:
        raise UsageError("embedding 0: an encoder needs embeddings; give their width, like --embedding 128")
    chosen = made.model_dump()
    for name, without in OF_CLASSES:
        if chosen[name] != without:
            raise UsageError(f"{name} {chosen[name]}: does not go with --task contrast; leave it {without}")
    if chosen["mining"] == "distance-weighted" and chosen["embedding_length"] != "unit":
        raise UsageError("mining distance-weighted is for embeddings of length 1: add --embedding-length unit")


def of_preset(choices: dict[str, Any]) -> dict[str, Any]:
    """Return the choices that a network's preset brings; those that were given come before them."""
    if "preset" not in declared("models", str(choices.get("model", "")), "USES", ()):
        return {}
    preset = choices.get("preset", Recipe.model_fields["preset"].default)
    brought = dict(declared("presets", str(preset), "CHOICES", ()))
    if "precision" in brought and "precision" not in choices:  # the one choice that depends on the machine
        brought["precision"] = importlib.import_module("tenfold.engine.narrowing").fastest_precision()
    return brought


def _refuse_what_fit_chooses(choices: dict[str, Any]) -> None:
    """Refuse another value of a field that fit searches; its recipe may name the field, as its file does."""
    for name, value in choices.items():
        plain = tuple(value) if isinstance(value, list) else value
        if name not in FIT and plain != Recipe.model_fields[name].default:
            takes = ", ".join(FIT[2:])
            raise UsageError(f"{name} is chosen by fit itself; `tenfold train` takes it, fit takes {takes}")
        if name in FIT and name in VARYING and isinstance(plain, tuple) and len(plain) > 1:
            raise UsageError(f"{name} takes one value in a fit; `tenfold train` and `tenfold sweep` take several")


def _refuse_what_a_sweep_has(choices: dict[str, Any]) -> None:
    for name in SWEEP:
        if name in choices and choices[name] not in (Recipe.model_fields[name].default, []):
            raise UsageError(f"{name} belongs to a sweep: `tenfold sweep` takes it")


def _alternatives(name: str, value: Any) -> bool:
    """Say whether a field that splits populations was given several values."""
    if name in (*VARYING, "vary") or not isinstance(value, list | tuple):
        return False
    return len(value) > 1 if name not in SHAPES else any(isinstance(width, list | tuple) for width in value)


def applicable(settings: Settings) -> Settings:
    """Return settings without the fields that their own model, optimizer, schedule or initializer does not have.

    >>> applicable({"model": "linear", "hidden": (128,), "l2": 0.1})
    {'model': 'linear', 'l2': 0.1}
    """
    idle = {name for name, owner in OWNERS.items() if settings.get(owner.field) in owner.lacking}
    return {name: value for name, value in settings.items() if name not in idle}


def members(recipe: Recipe) -> list[dict[str, Any]]:
    """Return the settings of every member: the product of fields with several values, one loss side by side.

    >>> members(Recipe(learning_rate=(0.1, 0.2), loss="hinge"))
    [{'loss': 'hinge', 'learning_rate': 0.1, 'l2': 0.0}, {'loss': 'hinge', 'learning_rate': 0.2, 'l2': 0.0}]
    """
    lists = {name: value if isinstance(value := getattr(recipe, name), tuple) else (value,) for name in VARYING}
    shown = [name for name in VARYING if len(lists[name]) > 1 or name in ("loss", "learning_rate", "l2")]
    return [dict(zip(shown, values, strict=True)) for values in itertools.product(*(lists[name] for name in shown))]


def read(path: Path) -> Recipe:
    """Read a Recipe from a TOML file."""
    try:
        return recipe(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise UsageError(f"{path}: no such recipe file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError, OSError) as error:
        raise UsageError(f"{path}: not a readable TOML recipe ({error})") from None
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def text(recipe: Recipe) -> str:
    """Return the recipe as TOML, every field in its order, so that a file says all that it leaves to defaults today."""
    return "".join(f"{name} = {_toml(getattr(recipe, name))}\n" for name in Recipe.model_fields)


def parse(name: str, value: str) -> Any:
    """Turn an option's text into a field's value: a comma separates alternatives, a dash the widths of hidden layers.

    >>> parse("learning_rate", "0.1,1e-3"), parse("hidden", "256-128"), parse("loss", "hinge")
    ([0.1, 0.001], [256, 128], 'hinge')
    """
    if name in TEXTS:
        return value
    if name in SHAPES:
        shapes = [[_scalar(part) for part in shape.split("-")] for shape in value.split(",")]
        return shapes[0] if len(shapes) == 1 else shapes
    pieces = [_scalar(part.strip()) for part in value.split(",")]
    return pieces[0] if len(pieces) == 1 else pieces


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
        return toml(value)
    return repr(value)


def _explain(error: ValidationError) -> str:
    """Return the first complaint of pydantic as one plain line."""
    first = error.errors()[0]
    if first["type"] == "value_error":
        return str(first["ctx"]["error"])
    name = str(first["loc"][0])
    field = FACTS[name].option or name if name in FACTS else name
    if first["type"] == "literal_error" and isinstance(first["input"], str):
        words = [word.strip("'") for word in first["ctx"]["expected"].replace(" or ", ", ").split(", ")]
        return f"no {field.replace('_', ' ')} {first['input']!r}: {nearest(first['input'], words)}"
    # A union complains once for each of its kinds; together they say what would do.
    messages = [e["msg"].removeprefix("Input should be ") for e in error.errors() if e["loc"][:1] == first["loc"][:1]]
    wanted = (
        " or ".join(
            dict.fromkeys(message.partition(", unable")[0] for message in messages if message != "a valid tuple")
        )
        or "a list of integers"
    )
    return f"{field} = {first['input']!r}: should be {wanted} ({Recipe.model_fields[name].description})"
