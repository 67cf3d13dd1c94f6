"""`tenfold margin POINTS`: the largest margin between two classes, solved exactly, with its proof."""

__all__ = ["command"]

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tenfold.cli.options import shown

if TYPE_CHECKING:
    from tenfold.data.types import Dataset
    from tenfold.teach.margin.answer import Margin


@click.command("margin")
@click.argument("points", default=None, metavar="[POINTS]")
@click.option(
    "--classes", default="", metavar="A,B", help="the two classes, that of + first  [where there are but two]"
)
@click.option("--predict", default="", metavar="POINTS", help='classify new points: "0,0 3,3", or a CSV of them')
@click.option("--given", default="", metavar="LINE", help='judge a line that you have: "w=-2,0; b=5"')
@click.option("--soft", type=float, default=None, metavar="C", help="solve for the soft margin with this C, too")
@click.option("--reported", default="", metavar="FILE", help="judge numbers that somebody wrote down: a TOML file")
@click.option("--limit", type=click.IntRange(0), default=None, help="images that are taken, half of each class  [800]")
@click.option("--size", type=int, default=0, help="side in pixels of a folder's images  [median, at most 64]")
@click.option("--data-dir", default="", help="root of the named data sets  [$TENFOLD_DATA, else the user's cache]")
@click.option("--out", default=None, metavar="PATH", help="folder to write figures into, as SVG  [none]")
@click.option("--json", "as_json", is_flag=True, help="print one JSON object as the last line")
def command(
    points: str | None,
    classes: str,
    predict: str,
    given: str,
    soft: float | None,
    reported: str,
    limit: int | None,
    size: int,
    data_dir: str,
    out: str | None,
    as_json: bool,
) -> None:
    """Find the line of the largest margin between two classes, exactly, and prove it.

    POINTS: "1,0:+ 0,1:+ 1,1:- 2,0:-", a CSV with the class in its last column, a data set or folder of images with
    --classes, or a file that holds points and reported numbers; without any, one that comes with Tenfold:
    maximum-margin-solved (the other: maximum-margin-given). Classes that no line separates get the proof of that.
    """
    from tenfold.cli.tables.margin import print_margin
    from tenfold.errors import UsageError
    from tenfold.teach.margin.answer import DEFAULT, answer
    from tenfold.teach.margin.sources import material

    if "" in (points, out):
        word, meant = ("POINTS", "points, a file or a data set") if points == "" else ("--out", "the name of a folder")
        raise UsageError(f"{word} is empty: expected {meant}, or leave it out")
    source = points if points is not None else reported or DEFAULT

    def load_images() -> "Dataset":
        from tenfold.data.load import load

        return load(source, data_dir=data_dir, size=size)

    pair = next(csv.reader([classes])) if classes else ()
    result = answer(material(source, pair, limit, size, load_images), source, predict, given, soft, reported)
    figures = _drawn(result, out) if out else []
    shown({**result.as_json(), "figures": figures}, as_json, lambda _: print_margin(result, figures))


def _drawn(result: "Margin", out: str) -> list[str]:
    from tenfold.teach.margin.find import draw_margin

    return [str(path) for path in draw_margin(result, Path(out))]
