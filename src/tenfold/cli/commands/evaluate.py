"""`tenfold evaluate RUN|MODEL DATA`: accuracy, precision, recall and F1 of a trained model."""

__all__ = ["command"]

from pathlib import Path

import click

from tenfold.cli.options import shown
from tenfold.cli.tables.results import print_evaluation


@click.command("evaluate")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("data")
@click.option("--part", default="", help="train, validation, test or all  [test where there is one, else all]")
@click.option("--data-dir", default="", help="root of the named data sets  [$TENFOLD_DATA, else the user's cache]")
@click.option("--skip-unreadable", is_flag=True, help="count broken images and go on")
@click.option("--json", "as_json", is_flag=True, help="print one JSON object as the last line")
def command(model: Path, data: str, part: str, data_dir: str, skip_unreadable: bool, as_json: bool) -> None:
    """Score MODEL (a run folder or a model file) on the labeled images of DATA.

    On the very data that it was trained on, a part is the part of that run: the test images that it never saw.
    """
    from tenfold.runs.predict import evaluate_model

    shown(evaluate_model(model, data, part, data_dir, skip_unreadable), as_json, print_evaluation)
