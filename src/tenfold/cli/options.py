"""Command-line options made from the fields of Recipe: same words, dashes for underscores, help from descriptions."""

__all__ = [
    "DATA_DIR",
    "FRAMING",
    "JSON",
    "PARTS",
    "RUN_FOLDER",
    "SIZE",
    "SKIP",
    "chosen",
    "recipe_options",
    "shown",
    "swept",
]

import json
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar, get_args, get_origin

import click
from pydantic.fields import FieldInfo

from tenfold.choices import parse
from tenfold.recipe import FACTS, Recipe

Command = TypeVar("Command", bound=Callable[..., Any])

DATA_DIR = click.option(
    "--data-dir", default="", help="folder of the named data sets  [$TENFOLD_DATA, else the user's cache]"
)
RUN_FOLDER = click.option("--out", default="", help="run folder to create  [a new folder in runs/]")
SIZE = click.option(
    "--size",
    type=int,
    default=0,
    help="side in pixels of the squares that a folder's images become  [median, at most 64]",
)
FRAMING = click.option(
    "--fit",
    "framing",
    metavar="VALUE",
    default="auto",
    help="what becomes of unequal sides: crop, squash or letterbox  [crop for photographs, else squash]",
)
PARTS = click.option(
    "--parts",
    default="",
    metavar="VALUE",
    help="folders of the parts, like train=a+b,test=c; none: every folder is a class  [by their names]",
)
SKIP = click.option("--skip-unreadable", is_flag=True, help="skip and count images that cannot be read")
JSON = click.option("--json", "as_json", is_flag=True, help="print one JSON object as the last line")


def recipe_options(names: Sequence[str], defaults: dict[str, Any]) -> Callable[[Command], Command]:
    """Return a decorator that gives a command one option for each named field.

    defaults: default values to show in the help, where they are not those of the recipe.
    """

    def decorate(command: Command) -> Command:
        for name in reversed(names):
            field = Recipe.model_fields[name]
            flag = f"--{(FACTS[name].option or name).replace('_', '-')}"
            if field.annotation is bool:
                both = f"{flag}/--no-{flag[2:]}"
                command = click.option(both, name, default=None, help=field.description)(command)
            else:
                text = f"{_described(field)}  [{_typed(defaults.get(name, field.default))}]"
                command = click.option(flag, name, metavar="VALUE", default=None, help=text)(command)
        return command

    return decorate


def chosen(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that the user gave, as values of recipe fields."""
    given = {name: value for name, value in options.items() if value is not None}
    return {name: parse(name, value) if isinstance(value, str) else value for name, value in given.items()}


def swept(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that the user gave; several values or a range stay text, for the sweep to parse."""
    given = {
        name: value for name, value in options.items() if isinstance(value, str) and ("," in value or ":" in value)
    }
    return chosen({name: value for name, value in options.items() if name not in given}) | given


def shown(result: dict[str, Any], as_json: bool, show: Callable[[dict[str, Any]], None]) -> None:
    """Print a result: by `show` for people, or as one JSON line for machines."""
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=True))
    else:
        show(result)


def _described(field: FieldInfo) -> str:
    """Return a field's description, with its valid words where the description does not name them."""
    words = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    missing = [word for word in words if word not in str(field.description)]
    return f"{field.description}: {', '.join(words)}" if missing else str(field.description)


def _typed(default: Any) -> str:
    """Return a default as a user would type it."""
    if isinstance(default, tuple):
        return "-".join(map(str, default))
    return str(default) if default != "" else "all"
