"""`tenfold probe RUN`: train a classifier on the frozen embeddings of an encoder."""

__all__ = ["command"]

from pathlib import Path
from typing import Any

import click

from tenfold.cli.display import display
from tenfold.cli.options import DATA_DIR, JSON, RUN_FOLDER, chosen, recipe_options, shown
from tenfold.cli.tables.finished import print_result

FIELDS = (
    "encoder_length",
    "standardize",
    "hidden",
    "neighbors",
    "l2",
    "learning_rate",
    "optimizer",
    "schedule",
    "batch_size",
    "iterations",
    "evaluate_every",
    "patience",
    "ensemble",
)
OF_HEAD = {
    name: "the head's own" for name in FIELDS if name not in ("encoder_length", "neighbors", "patience", "ensemble")
}


@click.command("probe")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--head", default="linear", help="linear, mlp (32 hidden units) or knn  [linear]")
@RUN_FOLDER
@DATA_DIR
@recipe_options(FIELDS, OF_HEAD)
@JSON
def command(run: Path, head: str, out: str, data_dir: str, as_json: bool, **options: Any) -> None:
    """Train a classifier on the embeddings of RUN, a run folder or model file of `tenfold train --task contrast`.

    The encoder stays as it is. Data and split are those that it was trained with. Heads with weights are trained for
    several penalties (--l2) in one population, a linear head to convergence. The model file that comes out predicts
    from images, encoder and all.
    """
    from tenfold.runs.events import line
    from tenfold.runs.probe import probe_recipe
    from tenfold.sessions import begin

    recipe, warning = probe_recipe(run, head, chosen(options))
    with display(as_json) as watch:
        if warning:
            line(watch)(f"warning: {warning}")
        finished = begin(recipe, out, data_dir, watch)
    shown(finished.result, as_json, print_result)
