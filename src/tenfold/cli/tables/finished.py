"""The result of any run, printed as its own command prints it."""

__all__ = ["print_result"]

from collections.abc import Mapping
from typing import Any


def print_result(result: Mapping[str, Any]) -> None:
    """Print a finished run's result.json for people."""
    if "table" in result:
        from tenfold.cli.tables.sweep import print_sweep

        return print_sweep(result)
    from tenfold.cli.tables.results import print_fit, print_train

    return print_fit(result) if "rungs" in result else print_train(result)
