"""`tenfold train DATA`: one run, or a population where an option has several values."""

__all__ = ["command"]

from pathlib import Path
from typing import Any

import click

from tenfold.cli.display import display
from tenfold.cli.options import chosen, recipe_options, shown
from tenfold.cli.tables.finished import print_result
from tenfold.errors import UsageError
from tenfold.recipe import SWEEP, Recipe

FIELDS = tuple(name for name in Recipe.model_fields if name not in ("kind", "data", "minutes", *SWEEP))


@click.command("train")
@click.argument("data", default="")
@click.option("--recipe", "recipe_file", default="", help="repeat the run of this recipe.toml; other options change it")
@click.option("--out", default="", help="the run folder to make  [below runs/]")
@click.option("--data-dir", default="", help="root of the named data sets  [$TENFOLD_DATA, else the user's cache]")
@recipe_options(FIELDS, {})
@click.option("--json", "as_json", is_flag=True, help="print one JSON object as the last line")
def command(data: str, recipe_file: str, out: str, data_dir: str, as_json: bool, **options: Any) -> None:
    """Train a model on DATA: a data set's name, a folder of images, or an .npz.

    Several values, separated by commas, make a population that is trained in one pass: --learning-rate 0.01,0.03,0.1.
    """
    from tenfold.choices import read, recipe
    from tenfold.sessions import begin

    if not data and not recipe_file:
        raise UsageError("say what to train on: `tenfold train digits`, or --recipe RUN/recipe.toml")
    repeated = read(Path(recipe_file)).model_dump() if recipe_file else {}
    choices = {**repeated, **({"data": data} if data else {}), **chosen(options)}
    with display(as_json) as watch:
        finished = begin(recipe(choices), out, data_dir, watch)
    shown(finished.result, as_json, print_result)
