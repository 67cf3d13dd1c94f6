"""`tenfold compare RUN_A RUN_B`: test which of two runs is better on the same test images."""

__all__ = ["command"]

from pathlib import Path

import click

from tenfold.cli.options import JSON, shown
from tenfold.cli.tables.compare import print_comparison


@click.command("compare")
@click.argument("run_a", type=click.Path(path_type=Path))
@click.argument("run_b", type=click.Path(path_type=Path))
@JSON
def command(run_a: Path, run_b: Path, as_json: bool) -> None:
    """Compare the best models of two run folders, RUN_A and RUN_B, on the test images that both were scored on.

    It prints an exact McNemar test, the interval of the difference in accuracy by that test, and the accuracy of every
    class. The output for the same two folders is always the same.
    """
    from tenfold.report.compare import compare_runs

    shown(compare_runs(run_a, run_b), as_json, print_comparison)
