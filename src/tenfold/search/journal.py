"""The members of a sweep as a study in Optuna's journal file, for its dashboard and its plots.

The file repeats what the sweep's own table says; nothing else reads it, and a damaged one is written again.
"""

__all__ = ["journal"]

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tenfold.recipe import Settings
from tenfold.search.axes import Axis, text
from tenfold.search.study import encoded, parameters, quiet, required


def journal(path: Path, axes: Sequence[Axis], tried: Sequence[tuple[Settings, float | None]]) -> int:
    """Write members that the file does not hold yet; returns how many. Writing again writes nothing.

    A study for each set of axes, named after them; a trial's attribute "member" is its number in tried. One that failed
    (score None) is a failed trial; one that lies on none of the axes' pieces, as after other axes, is left out.
    Raises UsageError where Optuna is not installed.
    """
    with quiet():
        _cut(path)
        try:
            return _written(path, axes, tried)
        except (ValueError, KeyError, TypeError):
            path.unlink()
            return _written(path, axes, tried)


def _cut(path: Path) -> None:
    """Drop a last line that a kill left unfinished: what is appended to it would be lost."""
    if path.exists():
        lines = path.read_bytes()
        os.truncate(path, lines.rfind(b"\n") + 1)


def _written(path: Path, axes: Sequence[Axis], tried: Sequence[tuple[Settings, float | None]]) -> int:
    optuna = required()
    backend = optuna.storages.journal
    # Windows has no symbolic links for everybody.
    lock = backend.JournalFileOpenLock(str(path)) if os.name == "nt" else None
    storage = optuna.storages.JournalStorage(backend.JournalFileBackend(str(path), lock))
    name = "; ".join(f"{axis.name} {text(axis)}" for axis in axes)
    if name in optuna.get_all_study_names(storage):
        study = optuna.load_study(storage=storage, study_name=name)
    else:
        study = optuna.create_study(storage=storage, study_name=name, direction="maximize")
    there = {trial.user_attrs.get("member") for trial in study.get_trials(deepcopy=False)}
    distributions = {name: one for axis in axes for name, one in parameters(axis).items()}
    added = 0
    for member, (settings, score) in enumerate(tried):
        params = encoded(axes, settings)
        if member not in there and params is not None:
            study.add_trial(_trial(params, {name: distributions[name] for name in params}, score, member))
            added += 1
    return added


def _trial(params: dict[str, Any], distributions: dict[str, Any], score: float | None, member: int) -> Any:
    optuna = required()
    states = optuna.trial.TrialState
    failed = score is None or score != score
    return optuna.create_trial(
        state=states.FAIL if failed else states.COMPLETE,
        value=None if failed else score,
        params=params,
        distributions=distributions,
        user_attrs={"member": member},
    )
