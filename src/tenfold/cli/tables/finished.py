"""The result of a run, whatever its kind, as its own command prints it."""

__all__ = ["print_result"]

from collections.abc import Mapping
from typing import Any

from tenfold.cli.tables.results import print_fit, print_train
from tenfold.cli.tables.sweep import print_sweep

PRINTERS = {"rungs": print_fit, "table": print_sweep}
"""What only the results of one kind have."""


def print_result(result: Mapping[str, Any]) -> None:
    """Print a finished run's result.json for people."""
    next((show for key, show in PRINTERS.items() if key in result), print_train)(result)
