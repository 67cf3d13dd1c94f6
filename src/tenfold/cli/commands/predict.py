"""`tenfold predict RUN|MODEL IMAGES…`: predict class probabilities of images."""

__all__ = ["command"]

import csv
import io
from pathlib import Path
from typing import Any

import click

from tenfold.cli.layout import print_text
from tenfold.cli.options import JSON, SKIP, shown
from tenfold.cli.tables.results import print_predictions
from tenfold.text import inert, visible


@click.command("predict")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@SKIP
@JSON
def command(model: Path, images: tuple[Path, ...], skip_unreadable: bool, as_json: bool) -> None:
    """Predict class probabilities of IMAGES with MODEL.

    MODEL is a run folder or a model file, IMAGES are files or folders. For files, the three likeliest classes are
    printed; with a folder, a CSV with the probability of every class.
    """
    from tenfold.runs.predict import predict_files

    result = predict_files(model, images, skip_unreadable)
    for note in result["notes"]:
        click.echo(inert(note), err=True)
    as_table = any(path.is_dir() for path in images)
    shown(result, as_json, _write_csv if as_table else print_predictions)


def _write_csv(result: dict[str, Any]) -> None:
    """Print a CSV with a line for each image: file, predicted class, probability of every class."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["file", "predicted", *map(visible, result["class_names"])])
    for row in result["predictions"]:
        table.writerow([visible(row["file"]), visible(row["predicted"]), *(f"{p:.6g}" for p in row["probabilities"])])
    print_text(text.getvalue())
