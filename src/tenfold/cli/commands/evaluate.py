"""`tenfold evaluate RUN|MODEL DATA`: score a trained model on labeled images."""

__all__ = ["command"]

from pathlib import Path

import click

from tenfold.cli.display import display
from tenfold.cli.options import DATA_DIR, JSON, PARTS, SKIP, shown
from tenfold.cli.tables.results import print_evaluation


@click.command("evaluate")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("data")
@click.option("--part", default="", help="train, validation, test or all  [test if DATA has a test part, else all]")
@PARTS
@DATA_DIR
@SKIP
@JSON
def command(model: Path, data: str, part: str, parts: str, data_dir: str, skip_unreadable: bool, as_json: bool) -> None:
    """Score MODEL, a run folder or a model file, on the labeled images of DATA.

    It prints accuracy, precision, recall and F1. If DATA is the data set of MODEL's own run, the parts are those of
    that run: its test part holds only images that MODEL was not trained on.
    """
    from tenfold.runs.predict import evaluate_model

    with display(as_json) as watch:
        metrics = evaluate_model(model, data, part, data_dir, skip_unreadable, parts, watch)
    shown(metrics, as_json, print_evaluation)
