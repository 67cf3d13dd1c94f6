"""The audit of a run's data: made once, read again on resume, and the groups of images that it binds."""

__all__ = ["alike", "audited", "findings_of", "kept_together"]

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold.data.audit import as_json, audit, groups_of
from tenfold.data.duplicates import group_ids
from tenfold.data.types import Dataset
from tenfold.files import read_json, write_json
from tenfold.runs.events import Watch, line, working


def audited(dataset: Dataset, folder: Path, watch: Watch, seconds: float = float("inf")) -> dict[str, Any]:
    """Audit the data set and write audit.json; a resumed run reads it.

    watch: told what would spoil the result. seconds: after which nothing more is compared.
    """
    path = folder / "audit.json"
    if path.exists():
        return dict(read_json(path, "warnings"))
    start = time.perf_counter()
    findings = as_json(audit(dataset, working(watch), seconds))
    findings["seconds"] = round(time.perf_counter() - start, 2)
    write_json(path, findings)
    line(watch)(f"audit: {len(dataset.labels):,} images in {findings['seconds']:.1f} s, {_duplicates(findings)}")
    for warning in findings["warnings"]:
        line(watch)(f"warning: {warning}")
    return findings


def findings_of(dataset: Dataset) -> dict[str, Any]:
    """Audit the data set; the findings as audit.json holds them."""
    return as_json(audit(dataset))


def kept_together(findings: dict[str, Any], dataset: Dataset) -> NDArray[np.int64]:
    """Return the group (N,) of each image that a split must not part."""
    return group_ids(len(dataset.labels), groups_of(findings))


def alike(findings: dict[str, Any], dataset: Dataset) -> NDArray[np.int64]:
    """Return the group (N,) of each image, groups that are too large to be kept together included."""
    return group_ids(len(dataset.labels), [*groups_of(findings), *findings["large"]])


def _duplicates(findings: dict[str, Any]) -> str:
    groups = groups_of(findings)
    images = sum(map(len, groups))
    many = "s" * (len(groups) != 1)
    return f"{images:,} of them in {len(groups):,} group{many} of duplicates" if groups else "no duplicates"
