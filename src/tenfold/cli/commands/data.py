"""`tenfold data list|info|fetch`: list, describe or download data sets."""

__all__ = ["command"]

from pathlib import Path

import click

from tenfold.cli.options import DATA_DIR, FRAMING, JSON, PARTS, SIZE, SKIP, shown
from tenfold.cli.tables.results import print_data_info, print_data_list


@click.group("data")
def command() -> None:
    """List, describe or download data sets."""


@command.command("list")
@DATA_DIR
@JSON
def list_sets(data_dir: str, as_json: bool) -> None:
    """List the named data sets and their places on this machine."""
    from tenfold.data.load import data_list

    shown({"data": data_list(data_dir)}, as_json, print_data_list)


@command.command("info")
@click.argument("data")
@SIZE
@FRAMING
@PARTS
@SKIP
@click.option("--figure", metavar="FILE", default="", help="also draw the first ten test images, as SVG")
@DATA_DIR
@JSON
def info(
    data: str, size: int, framing: str, parts: str, skip_unreadable: bool, figure: str, data_dir: str, as_json: bool
) -> None:
    """Load and check DATA, and print its counts, shape, parts, classes and fingerprint."""
    from tenfold.data.load import described, load

    dataset = load(data, data_dir=data_dir, size=size, skip_unreadable=skip_unreadable, parts=parts, framing=framing)
    facts = described(dataset)
    if figure:
        from tenfold.report.examples import draw_examples

        draw_examples(dataset, Path(figure).expanduser())
        facts["figure"] = figure
    shown(facts, as_json, print_data_info)


@command.command("fetch")
@click.argument("data")
@DATA_DIR
@JSON
def fetch(data: str, data_dir: str, as_json: bool) -> None:
    """Download a named data set if it is missing, check its digests, and load it once."""
    from tenfold.data.load import described, load

    shown(described(load(data, data_dir=data_dir, size=0, skip_unreadable=False)), as_json, print_data_info)
