"""`tenfold sweep DATA`: many settings in one pass for each shape of population."""

__all__ = ["command"]

from typing import Any

import click

from tenfold.cli.display import display
from tenfold.cli.options import recipe_options, shown
from tenfold.cli.sweep_table import print_sweep
from tenfold.recipe import SWEEP, Recipe

FIELDS = (*SWEEP[1:], *(name for name in Recipe.model_fields if name not in ("kind", "data", "minutes", *SWEEP)))


@click.command("sweep")
@click.argument("data")
@click.option("--out", default="", help="the run folder to make  [below runs/]")
@click.option("--data-dir", default="", help="root of the named data sets  [$TENFOLD_DATA, else the user's cache]")
@recipe_options(FIELDS, {})
@click.option("--json", "as_json", is_flag=True, help="print one JSON object as the last line")
def command(data: str, out: str, data_dir: str, as_json: bool, **options: Any) -> None:
    """Try many settings on DATA and train the best again on all of its training images.

    A comma separates values, low:high or low:high:log is a range: --learning-rate 1e-4:1e-1:log --l2 0,1e-4:1:log
    --members 64. Settings that share shapes and batches are one population, trained in one pass.
    """
    from tenfold.cli.options import swept
    from tenfold.sessions import begin
    from tenfold.sweeping import requested

    recipe = requested({"data": data, **swept(options)})
    with display(as_json) as watch:
        finished = begin(recipe, out, data_dir, watch)
    shown(finished.result, as_json, print_sweep)
