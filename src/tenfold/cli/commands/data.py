"""`tenfold data list|info|fetch`: the data sets, what is in them, and their files."""

__all__ = ["command"]

import click

from tenfold.cli.options import shown
from tenfold.cli.tables.results import print_data_info, print_data_list

ROOT = click.option(
    "--data-dir", default="", help="root of the named data sets  [$TENFOLD_DATA, else the user's cache]"
)
JSON = click.option("--json", "as_json", is_flag=True, help="print one JSON object as the last line")


@click.group("data")
def command() -> None:
    """List, describe or download data sets."""


@command.command("list")
@ROOT
@JSON
def list_sets(data_dir: str, as_json: bool) -> None:
    """The named data sets and where they are on this machine."""
    from tenfold.data.load import data_list

    shown({"data": data_list(data_dir)}, as_json, print_data_list)


@command.command("info")
@click.argument("data")
@click.option("--size", type=int, default=0, help="side in pixels of a folder's images  [their median, at most 64]")
@click.option("--skip-unreadable", is_flag=True, help="count broken images and go on")
@ROOT
@JSON
def info(data: str, size: int, skip_unreadable: bool, data_dir: str, as_json: bool) -> None:
    """Counts, shape, parts, classes and fingerprint of DATA, loaded and checked."""
    from tenfold.data.load import data_info

    shown(data_info(data, size, skip_unreadable, data_dir), as_json, print_data_info)


@command.command("fetch")
@click.argument("data")
@ROOT
@JSON
def fetch(data: str, data_dir: str, as_json: bool) -> None:
    """Download a named data set that is absent, checked against the official digests, and load it once."""
    from tenfold.data.load import data_info

    shown(data_info(data, 0, False, data_dir), as_json, print_data_info)
