"""`tenfold fit [DATA]`: train a ladder of models within some minutes and keep the best."""

__all__ = ["command"]

from typing import Any

import click

from tenfold.cli.display import display
from tenfold.cli.options import DATA_DIR, JSON, RUN_FOLDER, chosen, recipe_options, shown
from tenfold.cli.tables.results import print_fit
from tenfold.recipe import FIT


@click.command("fit")
@click.argument("data", default="digits")
@RUN_FOLDER
@DATA_DIR
@recipe_options(FIT[2:], {"flip": "photographs", "framing": "auto"})
@JSON
def command(data: str, out: str, data_dir: str, as_json: bool, **options: Any) -> None:
    """Train a ladder of models on DATA within --minutes and keep the best.

    DATA is digits, mnist, fashion_mnist, cifar10, a folder of images (class/*.png, or train|validation|test/class/*),
    or an .npz file with arrays x and y. The ladder goes from linear models to larger networks. Each rung trains many
    learning rates and l2 penalties in one pass. Validation images select the best model; the test images are scored
    once, at the end.
    """
    from tenfold.choices import recipe
    from tenfold.runs.ladder import DEFAULTS
    from tenfold.sessions import begin

    with display(as_json) as watch:
        finished = begin(recipe({**DEFAULTS, "data": data, **chosen(options)}), out, data_dir, watch)
    shown(finished.result, as_json, print_fit)
