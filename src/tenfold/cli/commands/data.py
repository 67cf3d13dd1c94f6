"""`tenfold data list|info|fetch`: list, describe or download data sets."""

__all__ = ["command"]

import click

from tenfold.cli.options import DATA_DIR, JSON, PARTS, SIZE, SKIP, shown
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
@PARTS
@SKIP
@DATA_DIR
@JSON
def info(data: str, size: int, parts: str, skip_unreadable: bool, data_dir: str, as_json: bool) -> None:
    """Load and check DATA, and print its counts, shape, parts, classes and fingerprint."""
    from tenfold.data.load import data_info

    shown(data_info(data, size, skip_unreadable, data_dir, parts), as_json, print_data_info)


@command.command("fetch")
@click.argument("data")
@DATA_DIR
@JSON
def fetch(data: str, data_dir: str, as_json: bool) -> None:
    """Download a named data set if it is missing, check its digests, and load it once."""
    from tenfold.data.load import data_info

    shown(data_info(data, 0, False, data_dir), as_json, print_data_info)
