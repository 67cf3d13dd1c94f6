"""A run as its report needs it: handed on in memory when it ends, or read once from its folder."""

__all__ = ["Case", "case_of", "read_case"]

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.data.splits import read_split
from tenfold.files import as_json, from_json, read_json
from tenfold.recipe import Settings
from tenfold.report.read import read_made, results_of
from tenfold.report.results import Results
from tenfold.report.svg import Drawn
from tenfold.runs.environment import Environment
from tenfold.runs.folder import opened
from tenfold.runs.outcome import Made
from tenfold.runs.prepare import DataFacts, Prepared
from tenfold.runs.result import RunResult


class Case(NamedTuple):
    """A run for its report.

    recipe: every field and its value. audit: audit.json, or {}. split: part -> positions in the data set. model_bytes:
    size of the model file, 0 where there is none. figures: those that were drawn of it, as SVG, by name. undrawn: names
    of those that there was no time for.
    """

    folder: Path
    result: RunResult
    results: Results
    environment: Environment
    recipe: Settings
    data: DataFacts
    audit: dict[str, Any]
    split: dict[str, NDArray[np.int64]]
    model_bytes: int
    figures: dict[str, str]
    undrawn: tuple[str, ...] = ()


def case_of(folder: Path, made: Made, prepared: Prepared, machine: Environment, results: Results, drawn: Drawn) -> Case:
    """Return a run that has just ended. results, drawn: as they were made for its folder."""
    return Case(
        folder,
        made.result,
        results,
        machine,
        as_json(prepared.recipe.model_dump()),
        prepared.about.facts,
        prepared.audit,
        {part: held.rows.cpu().numpy() for part, held in prepared.parts.items()},
        _size(folder / "model.tenfold"),
        dict(sorted(drawn.figures.items())),
        drawn.undrawn,
    )


def read_case(folder: Path) -> Case:
    """Read a run folder that has a result; a RunError where it has none or is another version's."""
    opened(folder)
    made = read_made(folder)
    resolved, kept = _optional(folder / "resolved.json"), folder / "splits.npz"
    return Case(
        folder,
        made.result,
        results_of(folder, made),
        from_json(Environment, _optional(folder / "env.json"), folder / "env.json"),
        resolved.get("recipe") or {},
        from_json(DataFacts, resolved.get("data") or {}, folder / "resolved.json"),
        _optional(folder / "audit.json"),
        {part: rows.numpy() for part, rows in read_split(kept).items()} if kept.exists() else {},
        _size(folder / "model.tenfold"),
        {path.stem: path.read_text("utf-8", "replace") for path in sorted((folder / "figures").glob("*.svg"))},
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _optional(path: Path) -> dict[str, Any]:
    return dict(read_json(path)) if path.exists() else {}
