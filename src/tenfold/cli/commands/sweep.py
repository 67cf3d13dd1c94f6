"""`tenfold sweep DATA`: many settings in one pass for each shape of population."""

__all__ = ["command"]

from pathlib import Path
from typing import Any

import click

from tenfold.cli.display import display
from tenfold.cli.options import chosen, recipe_options, shown, swept
from tenfold.cli.tables.sweep import print_estimate, print_rates, print_sweep
from tenfold.errors import UsageError
from tenfold.recipe import SWEEP, Recipe

FIELDS = (*SWEEP[1:], *(name for name in Recipe.model_fields if name not in ("kind", "data", "minutes", *SWEEP)))


@click.command("sweep")
@click.argument("data", default="")
@click.option("--dry-run", is_flag=True, help="say what would be trained, its memory and time, and stop")
@click.option("--find-learning-rate", is_flag=True, help="try 64 rates at once for 300 steps, suggest one, and stop")
@click.option("--extend", default="", help="add members, or other values of its axes, to this finished sweep")
@click.option("--jobs", type=click.IntRange(1), default=1, help="processes that train populations side by side  [1]")
@click.option("--cluster", default="", help="address of a Dask scheduler, like tcp://127.0.0.1:8786")
@click.option("--out", default="", help="the run folder to make  [below runs/]")
@click.option("--data-dir", default="", help="root of the named data sets  [$TENFOLD_DATA, else the user's cache]")
@recipe_options(FIELDS, {})
@click.option("--json", "as_json", is_flag=True, help="print one JSON object as the last line")
def command(
    data: str,
    dry_run: bool,
    find_learning_rate: bool,
    extend: str,
    jobs: int,
    cluster: str,
    out: str,
    data_dir: str,
    as_json: bool,
    **options: Any,
) -> None:
    """Try many settings on DATA and train the best again on all of its training images.

    A comma separates values, low:high or low:high:log is a range: --learning-rate 1e-4:1e-1:log --l2 0,1e-4:1:log
    --members 64. Settings that share shapes and batches are one population, trained in one pass.
    """
    from tenfold import sessions
    from tenfold.search.request import requested

    if bool(data) == bool(extend) or (extend and (dry_run or out or data_dir)):
        raise UsageError("say what to search on, `tenfold sweep digits …`, or which run to add to, --extend RUN")
    if find_learning_rate and data:
        return _find_rate({"data": data, **chosen(options)}, data_dir, out, as_json)
    recipe = requested({"data": data, **swept(options)}) if data else None
    if recipe and dry_run:
        from tenfold.search.estimate import estimate

        return shown(estimate(recipe, data_dir), as_json, print_estimate)
    with display(as_json) as watch:
        if recipe:
            finished = sessions.begin(recipe, out, data_dir, watch, jobs, cluster)
        else:
            finished = sessions.extend(Path(extend), swept(options), watch, jobs, cluster)
    return shown(finished.result, as_json, print_sweep)


def _find_rate(choices: dict[str, Any], data_dir: str, out: str, as_json: bool) -> None:
    """Print the suggestion and leave the curve as a figure."""
    from tenfold.choices import recipe
    from tenfold.report.rates import draw_rates
    from tenfold.runs.folder import default_folder
    from tenfold.search.rates import find_rate

    asked = recipe(choices)
    found = find_rate(asked, data_dir)
    path = Path(out) if out else default_folder(asked).with_suffix(".rates.svg")
    draw_rates(found, path)
    rates = {"rates": found.rates.tolist(), "loss": _plain(found.loss), "figure": str(path)}
    shown({**found._asdict(), **rates}, as_json, print_rates)


def _plain(numbers: Any) -> list[float | None]:
    """As JSON knows them."""
    return [float(number) if number == number else None for number in numbers]
