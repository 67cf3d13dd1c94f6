"""`tenfold report RUN…`: one self-contained page for a run, or for several side by side."""

__all__ = ["command"]

from pathlib import Path
from typing import Any

import click

from tenfold.cli.display import inert
from tenfold.cli.options import shown


@click.command("report")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", default="", help="the file to write  [report.html in the run; for several: runs/report.html]")
@click.option("--no-images", is_flag=True, help="leave out images, mean images, class templates and paths")
@click.option("--json", "as_json", is_flag=True, help="print one JSON object as the last line")
def command(runs: tuple[Path, ...], out: str, no_images: bool, as_json: bool) -> None:
    """Write one HTML file with everything about a run, or about several RUNS side by side.

    The file needs no network and nothing beside it: it can be mailed, printed and handed in. The images come from the
    data set, which must still be where it was; --no-images keeps private photographs out of the page.
    """
    from tenfold.report.write import report_runs

    path = report_runs(runs, Path(out).expanduser() if out else None, with_images=not no_images)
    shown({"report": str(path), "bytes": path.stat().st_size}, as_json, _print)


def _print(result: dict[str, Any]) -> None:
    click.echo(f"{inert(result['report'])} ({result['bytes'] / 1e6:.1f} MB)")
