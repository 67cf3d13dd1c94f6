"""`tenfold compare RUN_A RUN_B`: which of two runs is better on the same test images, and how sure that is."""

__all__ = ["command"]

from pathlib import Path

import click

from tenfold.cli.options import shown
from tenfold.cli.tables.compare import print_comparison


@click.command("compare")
@click.argument("run_a", type=click.Path(path_type=Path))
@click.argument("run_b", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="print one JSON object as the last line")
def command(run_a: Path, run_b: Path, as_json: bool) -> None:
    """Compare the best models of RUN_A and RUN_B (run folders) on the images that both were tested on.

    Exact McNemar test on the images that only one of them gets right, a bootstrap interval of the difference, and the
    accuracy of every class. The same two folders always print the same.
    """
    from tenfold.report.compare import compare_runs

    shown(compare_runs(run_a, run_b), as_json, print_comparison)
