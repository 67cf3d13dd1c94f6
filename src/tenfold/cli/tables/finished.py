"""The result of any run, printed as its own command prints it."""

__all__ = ["print_result"]

from collections.abc import Mapping
from typing import Any

from tenfold.cli.tables.results import print_fit, print_train
from tenfold.cli.tables.sweep import print_sweep

PRINTERS = {"rungs": print_fit, "table": print_sweep}
"""A key that only results of one kind have, and what prints those results."""


def print_result(result: Mapping[str, Any]) -> None:
    """Print a finished run's result.json for people."""
    next((show for key, show in PRINTERS.items() if key in result), print_train)(result)
