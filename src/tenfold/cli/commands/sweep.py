"""`tenfold sweep DATA`: search many settings, then train the best one again."""

__all__ = ["command"]

from pathlib import Path
from typing import Any

import click

from tenfold.cli.display import display
from tenfold.cli.options import DATA_DIR, JSON, RUN_FOLDER, chosen, recipe_options, shown, swept
from tenfold.cli.tables.sweep import print_estimate, print_rates, print_sweep
from tenfold.errors import UsageError
from tenfold.recipe import SWEEP, Recipe

ELSEWHERE = ("kind", "data", "minutes", "ensemble", *SWEEP)
FIELDS = (*SWEEP[1:], *(name for name in Recipe.model_fields if name not in ELSEWHERE))


@click.command("sweep")
@click.argument("data", default="")
@click.option("--dry-run", is_flag=True, help="print the planned populations, their memory and time, and stop")
@click.option("--find-learning-rate", is_flag=True, help="try 64 rates at once for 300 steps, suggest one, and stop")
@click.option("--extend", default="", metavar="RUN", help="add members or other values to this finished sweep")
@click.option("--jobs", type=click.IntRange(1), default=1, help="number of worker processes  [1]")
@click.option("--cluster", default="", help="address of a Dask scheduler, like tcp://127.0.0.1:8786")
@RUN_FOLDER
@DATA_DIR
@recipe_options(FIELDS, {"framing": "auto"})
@JSON
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
    """Search many settings on DATA, then train the best one again on all of its training images.

    Commas separate values; low:high or low:high:log is a range to sample, as in --learning-rate 1e-4:1e-1:log
    --l2 0,1e-4:1:log --members 64. Settings with the same layer shapes and batches train as one population, in one
    pass over the data.
    """
    from tenfold import sessions
    from tenfold.search.request import requested

    if bool(data) == bool(extend) or (extend and (dry_run or out or data_dir)):
        raise UsageError(
            "give either a data set, `tenfold sweep digits …`, or a finished sweep, `tenfold sweep --extend RUN …`"
        )
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
    """Suggest a learning rate and draw its curve."""
    from tenfold.choices import recipe
    from tenfold.report.rates import draw_rates
    from tenfold.runs.folder import default_folder
    from tenfold.search.rates import find_rate

    base = recipe(choices)
    suggestion = find_rate(base, data_dir)
    path = Path(out) if out else default_folder(base).with_suffix(".rates.svg")
    draw_rates(suggestion, path)
    curve = {"rates": suggestion.rates.tolist(), "loss": _json_numbers(suggestion.loss), "figure": str(path)}
    shown({**suggestion._asdict(), **curve}, as_json, print_rates)


def _json_numbers(numbers: Any) -> list[float | None]:
    """Return numbers as JSON holds them: None for NaN."""
    return [float(number) if number == number else None for number in numbers]
