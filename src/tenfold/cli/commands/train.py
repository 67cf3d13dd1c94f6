"""`tenfold train DATA`: train one model, or a population where an option has several values."""

__all__ = ["command"]

from pathlib import Path
from typing import Any

import click

from tenfold.cli.display import display
from tenfold.cli.options import DATA_DIR, JSON, RUN_FOLDER, chosen, recipe_options, shown
from tenfold.cli.tables.finished import print_result
from tenfold.errors import UsageError
from tenfold.recipe import SWEEP, Recipe

FIELDS = tuple(name for name in Recipe.model_fields if name not in ("kind", "data", "minutes", *SWEEP))


@click.command("train")
@click.argument("data", default="")
@click.option(
    "--recipe",
    "recipe_file",
    default="",
    metavar="FILE",
    help="repeat the run of this recipe.toml, changed by the other options",
)
@RUN_FOLDER
@DATA_DIR
@recipe_options(FIELDS, {"framing": "auto"})
@JSON
def command(data: str, recipe_file: str, out: str, data_dir: str, as_json: bool, **options: Any) -> None:
    """Train a model on DATA: the name of a data set, a folder of images, or an .npz file.

    An option with several values, separated by commas, trains a population in one pass: --learning-rate 0.01,0.03,0.1.
    """
    from tenfold.choices import read, recipe
    from tenfold.sessions import begin

    if not data and not recipe_file:
        raise UsageError("give data to train on, such as `tenfold train digits`, or --recipe RUN/recipe.toml")
    repeated = read(Path(recipe_file)).model_dump() if recipe_file else {}
    choices = {**repeated, **({"data": data} if data else {}), **chosen(options)}
    with display(as_json) as watch:
        finished = begin(recipe(choices), out, data_dir, watch)
    shown(finished.result, as_json, print_result)
