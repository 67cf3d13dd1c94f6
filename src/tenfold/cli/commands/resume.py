"""`tenfold resume RUN`: go on where a run was stopped."""

__all__ = ["command"]

from pathlib import Path

import click

from tenfold.cli.display import display
from tenfold.cli.options import shown
from tenfold.cli.tables.finished import print_result


@click.command("resume")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--jobs", type=click.IntRange(1), default=1, help="of a sweep: processes side by side  [1]")
@click.option("--cluster", default="", help="of a sweep: address of a Dask scheduler")
@click.option("--json", "as_json", is_flag=True, help="print one JSON object as the last line")
def command(run: Path, jobs: int, cluster: str, as_json: bool) -> None:
    """Go on with RUN from its last checkpoint; a finished run just prints its result.

    Whatever stopped it, the weights and metrics.csv end with the bits of a run that was never stopped.
    """
    from tenfold.sessions import resume

    with display(as_json) as watch:
        finished = resume(run, watch, jobs, cluster)
    shown(finished.result, as_json, print_result)
