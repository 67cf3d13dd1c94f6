"""`tenfold explain RUN|MODEL IMAGES…`: show what predictions rest on."""

__all__ = ["command"]

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from tenfold.cli.layout import echo, show_notes
from tenfold.cli.options import JSON, shown
from tenfold.text import inert, percent


@click.command("explain")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", default="explanation", help="folder to write the page and figures into  [explanation]")
@click.option("--data", default="", help="folder or file of the run's data  [where they were]")
@JSON
def command(model: Path, images: tuple[Path, ...], out: str, data: str, as_json: bool) -> None:
    """Show what the predictions of MODEL about IMAGES rest on.

    MODEL is a run folder or a model file, IMAGES are files or folders. It writes explanation.html and a figure for each
    image: gradient × input and a smoothed gradient, what happens where a square covers the image, curves that test
    these maps by deleting pixels, and the nearest training images where the data of MODEL's run are at hand.
    """
    from tenfold.report.explain import explain_files

    places = [place.expanduser() for place in images]
    shown(explain_files(model, places, Path(out).expanduser(), data), as_json, _print)


def _print(result: Mapping[str, Any]) -> None:
    for row in result["images"]:
        echo(f"{inert(row['file'])}: {inert(row['predicted'])} {percent(row['probability'], ' %')}")
        for name, curve in row["deletion"].items():
            areas = f"{curve['area_between']:+.3f}, sooner than {curve['orders_beaten']} of {curve['orders']}"
            echo(f"  {name:<18} deletion against random orders: {areas}")
    show_notes(result)
    echo(f"page  {inert(result['page'])}")
