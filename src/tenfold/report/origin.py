"""Where a result comes from: the command that repeats it, data, seeds, machine, packages, code."""

__all__ = ["Origin", "origin"]

import shlex
from pathlib import Path
from typing import Any, NamedTuple

from tenfold.report.case import Case
from tenfold.report.wording import label, setting, shown

# The recipe's other fields are in recipe.toml; these are what a reader asks for first.
SEEDS = ("seed", "init_seed")


class Origin(NamedTuple):
    """repeat: the command. facts: name and value. packages: name and version. recipe: every field and its value."""

    repeat: str
    facts: list[tuple[str, str]]
    packages: list[tuple[str, str]]
    recipe: list[tuple[str, str]]


def origin(case: Case, private: bool) -> Origin:
    """Everything that one needs to get the same numbers again. private: no path is named."""
    folder = Path("RUN") if private else Path(str(case.result.get("run") or case.folder))
    packages = case.environment.get("packages") or {}
    recipe = {name: value for name, value in case.recipe.items() if not (private and name == "data")}
    return Origin(
        f"tenfold train --recipe {shlex.quote(shown(str(folder / 'recipe.toml')))}",
        [(name, value) for name, value in _facts(case, private) if value],
        [(label(str(name)), label(str(version))) for name, version in packages.items()],
        [(name.replace("_", " "), setting(value)) for name, value in recipe.items()],
    )


def _facts(case: Case, private: bool) -> list[tuple[str, str]]:
    machine = case.environment
    typed = "" if private else shlex.join(map(shown, map(str, machine.get("argv") or ())))
    return [
        ("As typed", typed),
        ("Seeds", ", ".join(f"{name.replace('_', ' ')} {setting(case.recipe.get(name))}" for name in SEEDS)),
        ("Data, SHA-256", str(case.data.get("fingerprint") or "")),
        ("Weights, SHA-256", _digest(case)),
        ("Code", _code(machine)),
        ("Processor", _said(machine.get("processor"))),
        ("Graphics processor", _said(machine.get("gpu"))),
        ("Threads", f"{machine.get('threads', '?')} of {machine.get('cores', '?')} cores" if machine else ""),
        ("Matrix product", _said(machine.get("products"))),
        ("System", _said(machine.get("platform"))),
        ("Python", _said(machine.get("python"))),
    ]


def _said(value: Any) -> str:
    return label(str(value)) if value else ""


def _digest(case: Case) -> str:
    """Of the best model's weights."""
    rows: list[dict[str, Any]] = case.result.get("rungs") or []
    own = [row.get("weights_sha256") for row in rows if row.get("rung") == case.results.best]
    members, best = case.result.get("members") or [], case.result.get("best")
    if not own and isinstance(best, int) and best < len(members):
        own = [members[best].get("weights_sha256")]
    return str(own[0] or "") if own else ""


def _code(machine: dict[str, Any]) -> str:
    revision = str(machine.get("revision") or "")
    changed = ", with changes that are in env.json" if machine.get("changes") else ""
    return f"revision {revision}{changed}" if revision else ""
