"""Nouns of an export, and the Python source that exports without Tenfold are made of."""

__all__ = [
    "Export",
    "Opened",
    "inputs_of",
    "listed",
    "mix_text",
    "operations_text",
    "python_file",
    "reshape_text",
    "template",
    "write_classes",
]

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.files import write_text
from tenfold.trained.program import Operation, Program, identifier


class Opened(NamedTuple):
    """An export at work. answers: inputs (N, C, H, W) float32 -> probabilities (N, classes).

    pixels: reads an image file as the export itself does, (C, H, W); None where it opens no files.
    """

    answers: Callable[[NDArray[np.float32]], NDArray[Any]]
    pixels: Callable[[Path], NDArray[Any]] | None = None


class Export(NamedTuple):
    """A format. ending: what follows the model's name in that of the export.

    write: writes a program to a path: a file, or a folder that exists. is_folder: which of them. open: runs what was
    written.
    """

    ending: str
    is_folder: bool
    write: Callable[[Program, Path], None]
    open: Callable[[Path], Opened]


def operations_text(program: Program, expressions: Mapping[str, Callable[[Operation], str]]) -> str:
    """Return a line of Python for each operation but the last, indented by four."""
    lines = (f"    {identifier(one.name)} = {expressions[one.kind](one)}\n" for one in program.operations[:-1])
    return "".join(lines)


def python_file(docstring: str, imports: Iterable[str], parts: Iterable[str]) -> str:
    """Return the source of a file: docstring, imports, and parts with two blank lines between them."""
    head = f'"""{docstring}"""\n\n' + "\n".join(imports)
    return "\n\n\n".join([head, *(part.strip("\n") for part in parts)]) + "\n"


def listed(functions: Iterable[Callable[..., Any]]) -> list[str]:
    """Return the sources of functions, without the marks of this package's linter."""
    return [inspect.getsource(function).replace("  # noqa: T201", "") for function in functions]


def write_classes(program: Program, folder: Path) -> None:
    """Write the names of the classes in their order, as JSON."""
    write_text(folder / "classes.json", json.dumps(program.class_names, indent=0) + "\n")


def inputs_of(one: Operation) -> list[str]:
    """Return the inputs of an operation as names of variables."""
    return [identifier(name) for name in one.inputs]


def template(form: str, array: Callable[[Operation, str], str]) -> Callable[[Operation], str]:
    """Return what writes an operation on one value: in the form, {x} stands for it, {0}, {1} … for its arrays.

    array: text for an array of an operation, by its name.
    """

    def written(one: Operation) -> str:
        return form.format(*(array(one, name) for name in one.arrays), x=inputs_of(one)[0], **one.settings)

    return written


def reshape_text(one: Operation) -> str:
    """Return the expression of a reshape."""
    return f"{inputs_of(one)[0]}.reshape(-1, {', '.join(map(str, one.settings['shape']))})"


def mix_text(one: Operation) -> str:
    """Return the expression of a weighted sum."""
    return " + ".join(f"{weight!r} * {x}" for weight, x in zip(one.settings["weights"], inputs_of(one), strict=True))
