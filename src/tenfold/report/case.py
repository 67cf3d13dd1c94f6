"""Everything that a report needs of a run folder, read once; what an older or a stopped run lacks is absent."""

__all__ = ["Case", "read_case"]

import io
import zipfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.errors import FileError
from tenfold.files import read_json
from tenfold.report.read import read_results
from tenfold.report.results import Results
from tenfold.runs.folder import opened


class Case(NamedTuple):
    """A run as it lies in its folder.

    result, environment, recipe, data: result.json, env.json and the two halves of resolved.json. audit: audit.json, or
    {}. split: part -> positions in the data set. model_bytes: size of the model file, 0 where there is none. figures:
    those that were drawn of it, as SVG, by name.
    """

    folder: Path
    result: dict[str, Any]
    results: Results
    environment: dict[str, Any]
    recipe: dict[str, Any]
    data: dict[str, Any]
    audit: dict[str, Any]
    split: dict[str, NDArray[np.int64]]
    model_bytes: int
    figures: dict[str, str]


def read_case(folder: Path) -> Case:
    """Read a run folder that has a result; a RunError where it has none or is another version's."""
    opened(folder)
    results = read_results(folder)
    resolved = _optional(folder / "resolved.json")
    model = folder / "model.tenfold"
    return Case(
        folder,
        dict(read_json(folder / "result.json")),
        results,
        _optional(folder / "env.json"),
        resolved.get("recipe") or {},
        resolved.get("data") or {},
        _optional(folder / "audit.json"),
        _split(folder / "splits.npz"),
        model.stat().st_size if model.exists() else 0,
        {path.stem: path.read_text("utf-8", "replace") for path in sorted((folder / "figures").glob("*.svg"))},
    )


def _optional(path: Path) -> dict[str, Any]:
    return dict(read_json(path)) if path.exists() else {}


def _split(path: Path) -> dict[str, NDArray[np.int64]]:
    if not path.exists():
        return {}
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as parts:
            return {name: parts[name].astype(np.int64) for name in parts.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise FileError(f"{path}: damaged ({error}); restore it from a copy") from None
