"""Command-line options from the fields of Recipe: same words, dashes for underscores, help from the description."""

__all__ = ["chosen", "recipe_options", "shown", "swept"]

import json
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar, get_args, get_origin

import click
from pydantic.fields import FieldInfo

from tenfold.choices import parse
from tenfold.recipe import Recipe

Command = TypeVar("Command", bound=Callable[..., Any])


def recipe_options(names: Sequence[str], defaults: dict[str, Any]) -> Callable[[Command], Command]:
    """Give a command one option for each named field; defaults: what its help says instead of the field's own."""

    def decorate(command: Command) -> Command:
        for name in reversed(names):
            field = Recipe.model_fields[name]
            flag = f"--{name.replace('_', '-')}"
            if field.annotation is bool:
                both = f"{flag}/--no-{flag[2:]}"
                command = click.option(both, default=None, help=field.description)(command)
            else:
                told = f"{_described(field)}  [{_told(defaults.get(name, field.default))}]"
                command = click.option(flag, metavar="VALUE", default=None, help=told)(command)
        return command

    return decorate


def chosen(options: dict[str, Any]) -> dict[str, Any]:
    """The fields that were given, as values."""
    given = {name: value for name, value in options.items() if value is not None}
    return {name: parse(name, value) if isinstance(value, str) else value for name, value in given.items()}


def swept(options: dict[str, Any]) -> dict[str, Any]:
    """The fields that were given; several values or a range stay text, for a sweep to read."""
    given = {
        name: value for name, value in options.items() if isinstance(value, str) and ("," in value or ":" in value)
    }
    return chosen({name: value for name, value in options.items() if name not in given}) | given


def shown(result: dict[str, Any], as_json: bool, show: Callable[[dict[str, Any]], None]) -> None:
    """Print a result for people, or as one JSON line for machines."""
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=True))
    else:
        show(result)


def _described(field: FieldInfo) -> str:
    """A field's description, with the words that it takes where the description does not name them."""
    words = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    missing = [word for word in words if word not in str(field.description)]
    return f"{field.description}: {', '.join(words)}" if missing else str(field.description)


def _told(default: Any) -> str:
    """A default as one would type it."""
    if isinstance(default, tuple):
        return "-".join(map(str, default))
    return str(default) if default != "" else "all"
