"""`tenfold resume RUN`: continue an interrupted run."""

__all__ = ["command"]

from pathlib import Path

import click

from tenfold.cli.display import display
from tenfold.cli.options import JSON, shown
from tenfold.cli.tables.finished import print_result


@click.command("resume")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--jobs", type=click.IntRange(1), default=1, help="for a sweep: number of worker processes  [1]")
@click.option("--cluster", default="", help="for a sweep: address of a Dask scheduler")
@JSON
def command(run: Path, jobs: int, cluster: str, as_json: bool) -> None:
    """Continue RUN from its last checkpoint. For a finished run, print its result again.

    The weights and metrics.csv end with the same bits as those of a run that was never interrupted.
    """
    from tenfold.sessions import resume

    with display(as_json) as watch:
        finished = resume(run, watch, jobs, cluster)
    shown(finished.result, as_json, print_result)
