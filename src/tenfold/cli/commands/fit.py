"""`tenfold fit [DATA]`: the main job."""

__all__ = ["command"]

from typing import Any

import click

from tenfold.cli.display import display
from tenfold.cli.options import chosen, recipe_options, shown
from tenfold.cli.tables.results import print_fit
from tenfold.recipe import FIT


@click.command("fit")
@click.argument("data", default="digits")
@click.option("--out", default="", help="the run folder to make  [below runs/]")
@click.option("--data-dir", default="", help="root of the named data sets  [$TENFOLD_DATA, else the user's cache]")
@recipe_options(FIT[2:], {"flip": "photographs"})
@click.option("--json", "as_json", is_flag=True, help="print one JSON object as the last line")
def command(data: str, out: str, data_dir: str, as_json: bool, **options: Any) -> None:
    """Train a ladder of models on DATA within --minutes and keep the best.

    DATA is digits, mnist, fashion_mnist, cifar10, a folder of images (class/*.png, or train|validation|test/class/*),
    or an .npz with x and y. Every rung is a population over learning rate and l2, trained in one pass; the best is
    chosen by validation, and the test images are looked at once, at the end.
    """
    from tenfold.choices import recipe
    from tenfold.runs.fit import DEFAULTS
    from tenfold.sessions import begin

    with display(as_json) as watch:
        finished = begin(recipe({**DEFAULTS, "data": data, **chosen(options)}), out, data_dir, watch)
    shown(finished.result, as_json, print_fit)
