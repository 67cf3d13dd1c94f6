"""`tenfold predict RUN|MODEL IMAGES…`: probabilities per class."""

__all__ = ["command"]

import csv
import io
from pathlib import Path
from typing import Any

import click

from tenfold.cli.display import inert, visible
from tenfold.cli.layout import print_text
from tenfold.cli.options import shown
from tenfold.cli.tables.results import print_predictions


@click.command("predict")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--skip-unreadable", is_flag=True, help="count broken images and go on")
@click.option("--json", "as_json", is_flag=True, help="print one JSON object as the last line")
def command(model: Path, images: tuple[Path, ...], skip_unreadable: bool, as_json: bool) -> None:
    """Say what MODEL (a run folder or a model file) sees in IMAGES, files or folders; a folder gives a CSV."""
    from tenfold.runs.predict import predict_files

    result = predict_files(model, images, skip_unreadable)
    for note in result["notes"]:
        click.echo(inert(note), err=True)
    as_table = any(path.is_dir() for path in images)
    shown(result, as_json, _write_csv if as_table else print_predictions)


def _write_csv(result: dict[str, Any]) -> None:
    """One line an image: file, class, probability of every class."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["file", "predicted", *map(visible, result["class_names"])])
    for row in result["predictions"]:
        table.writerow([visible(row["file"]), visible(row["predicted"]), *(f"{p:.6g}" for p in row["probabilities"])])
    print_text(text.getvalue())
