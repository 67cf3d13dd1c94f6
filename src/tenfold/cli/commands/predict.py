"""`tenfold predict RUN|MODEL IMAGES…`: predict class probabilities of images."""

__all__ = ["command"]

import csv
import glob
import io
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from tenfold.cli.layout import print_text
from tenfold.cli.options import JSON, SKIP, shown
from tenfold.cli.tables.results import print_predictions
from tenfold.errors import DataError
from tenfold.text import inert, visible


@click.command("predict")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1, required=True)
@SKIP
@JSON
def command(model: Path, images: tuple[str, ...], skip_unreadable: bool, as_json: bool) -> None:
    """Predict class probabilities of IMAGES with MODEL.

    MODEL is a run folder or a model file. IMAGES are files, folders, quoted patterns such as 'photos/*.jpg', or - for a
    list of them on standard input, one a line or with NUL characters between them. For files, the three likeliest
    classes are printed; with a folder, a CSV with the probability of every class. Images that MODEL was trained on are
    named.
    """
    from tenfold.runs.predict import predict_files

    places = [place for word in images for place in _places(word)]
    result = predict_files(model, places, skip_unreadable)
    for note in result["notes"]:
        click.echo(inert(note), err=True)
    as_table = any(place.is_dir() for place in places)
    shown(result, as_json, _write_csv if as_table else print_predictions)


def _places(word: str) -> Sequence[Path]:
    """Return the places that an argument means: itself, what fits a pattern, or what standard input lists."""
    if word == "-":
        listed = [Path(name).expanduser() for name in _names()]
        if not listed:
            raise DataError("standard input (-): names no images; expected one path a line")
        return listed
    path = Path(word).expanduser()
    if os.path.lexists(path) or not glob.has_magic(word):
        return [path]
    if fitting := sorted(glob.glob(str(path), recursive=True)):  # noqa: PTH207 -- below any root
        return [Path(name) for name in fitting]
    raise DataError(f"{word}: no file fits this pattern")


def _names() -> Iterator[str]:
    """Read names from standard input, divided by NUL characters where it has some, else by ends of lines."""
    content = sys.stdin.buffer.read() if sys.stdin else b""
    names = content.split(b"\0") if b"\0" in content else content.splitlines()
    return (os.fsdecode(name) for name in names if name.strip())


def _write_csv(result: dict[str, Any]) -> None:
    """Print a CSV with a line for each image: file, predicted class, probability of every class."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["file", "predicted", *map(visible, result["class_names"])])
    for row in result["predictions"]:
        table.writerow([visible(row["file"]), visible(row["predicted"]), *(f"{p:.6g}" for p in row["probabilities"])])
    print_text(text.getvalue())
