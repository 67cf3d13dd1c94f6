"""Where a result comes from: the command that repeats it, data, seeds, machine, packages, code."""

__all__ = ["Origin", "origin"]

import shlex
from pathlib import Path
from typing import Any, NamedTuple

from tenfold.report.case import Case
from tenfold.runs.environment import Environment
from tenfold.runs.result import FitResult, TrainResult
from tenfold.text import label, setting, visible

# The recipe's other fields are in recipe.toml; these are what a reader asks for first.
SEEDS = ("seed", "init_seed")


class Origin(NamedTuple):
    """repeat: the command. facts: name and value. packages: name and version. recipe: every field and its value."""

    repeat: str
    facts: list[tuple[str, str]]
    packages: list[tuple[str, str]]
    recipe: list[tuple[str, str]]


def origin(case: Case, private: bool) -> Origin:
    """Return everything that one needs to get the same numbers again. private: no path is named."""
    folder = Path("RUN") if private else Path(case.result.run or case.folder)
    packages = case.environment.packages
    recipe = {name: value for name, value in case.recipe.items() if not (private and name == "data")}
    return Origin(
        f"tenfold train --recipe {shlex.quote(visible(str(folder / 'recipe.toml')))}",
        [(name, value) for name, value in _facts(case, private) if value],
        [(label(str(name)), label(str(version))) for name, version in packages.items()],
        [(name.replace("_", " "), setting(value, between=", ")) for name, value in recipe.items()],
    )


def _facts(case: Case, private: bool) -> list[tuple[str, str]]:
    machine = case.environment
    typed = "" if private else shlex.join(map(visible, machine.argv))
    cores = f"{machine.threads or '?'} of {machine.cores or '?'} cores" if machine.threads or machine.cores else ""
    return [
        ("As typed", typed),
        ("Seeds", ", ".join(f"{name.replace('_', ' ')} {setting(case.recipe.get(name))}" for name in SEEDS)),
        ("Data, SHA-256", case.data.fingerprint),
        ("Weights, SHA-256", _digest(case)),
        ("Code", _code(machine)),
        ("Processor", _said(machine.processor)),
        ("Graphics processor", _said(machine.gpu)),
        ("Threads", cores),
        ("Matrix product", _said(machine.products)),
        ("System", _said(machine.platform)),
        ("Python", _said(machine.python)),
    ]


def _said(value: Any) -> str:
    return label(str(value)) if value else ""


def _digest(case: Case) -> str:
    """Return the digest of the best model's weights."""
    result = case.result
    if isinstance(result, FitResult):
        return next((row.weights_sha256 or "" for row in result.rungs if row.rung == case.results.best), "")
    if isinstance(result, TrainResult) and result.best is not None and result.best < len(result.members):
        return result.members[result.best].weights_sha256
    return ""


def _code(machine: Environment) -> str:
    changed = ", with changes that are in env.json" if machine.changes else ""
    return f"revision {machine.revision}{changed}" if machine.revision else ""
