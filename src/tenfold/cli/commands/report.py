"""`tenfold report RUN…`: write one self-contained HTML page about a run, or about several side by side."""

__all__ = ["command"]

from pathlib import Path
from typing import Any

import click

from tenfold.cli.options import JSON, shown
from tenfold.text import inert, size_of


@click.command("report")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", default="", help="HTML file to write  [RUN/report.html; for several runs runs/report.html]")
@click.option("--no-images", is_flag=True, help="leave out images, mean images, class templates and file paths")
@click.option("--data", default="", help="folder or file of the run's data  [where they were]")
@click.option("--force", is_flag=True, help="write the page even where it loses the images that it has")
@JSON
def command(runs: tuple[Path, ...], out: str, no_images: bool, data: str, force: bool, as_json: bool) -> None:
    """Write one HTML file with everything about a run, or about several RUNS side by side.

    The file needs no network and no other file: you can mail it, print it and hand it in. The images come from the data
    set, where it was or where --data says that it is now; a page that has images is not replaced by one without, unless
    --force asks for it. --no-images keeps private photographs out of the page.
    """
    from tenfold.report.write import report_runs

    path, why = report_runs(runs, Path(out).expanduser() if out else None, not no_images, data, force)
    notes = [why] if why else []
    shown({"report": str(path), "bytes": path.stat().st_size, "notes": notes}, as_json, _print)


def _print(result: dict[str, Any]) -> None:
    click.echo(f"{inert(result['report'])} ({size_of(result['bytes'])})")
    for note in result["notes"]:
        click.echo(inert(note), err=True)
