"""Two runs side by side: what their best models say of the same images, and whether one is shown to be better."""

__all__ = ["compare_runs", "fitting_together"]

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.errors import FileError, RunError
from tenfold.files import from_json, read_json
from tenfold.report.read import read_results
from tenfold.report.results import Results
from tenfold.runs.folder import how_to_resume, opened
from tenfold.runs.prepare import DataFacts
from tenfold.text import FRAMED, left_out
from tenfold.trained.evaluate import measure
from tenfold.trained.statistics import by_class, macro_f1_interval, paired, sentence

_SCORES = ("accuracy", "interval", "macro_f1", "absent")


class _Side(NamedTuple):
    """One run. data: name and fingerprint of what it was trained on."""

    folder: Path
    name: str
    results: Results
    data: DataFacts


def compare_runs(first: Path, second: Path) -> dict[str, Any]:
    """Compare the accuracies of two runs' best models on the images that both were tested on.

    Test images, or the validation images of two runs that were stopped before they looked at those: by their positions
    where both runs read the same data, else by the digests of their files, so that two sizes of one folder compare.
    Holds the numbers of `statistics.paired`, of each class, and a sentence. The same folders give the same bits. Raises
    RunError where a folder is no run or has no result yet, or where the runs share no such image.
    """
    with fitting_together(first, second):
        return _compared(_side(first, second), _side(second, first))


def _compared(a: _Side, b: _Side) -> dict[str, Any]:
    _check(a, b)
    _, rows_a, rows_b = np.intersect1d(_keys(a, b), _keys(b, a), return_indices=True)
    labels = _shared_labels(a, b, rows_a, rows_b)
    guess_a, guess_b = (s.results.predicted[s.results.best][rows] for s, rows in ((a, rows_a), (b, rows_b)))
    right_a, right_b = guess_a == labels, guess_b == labels
    comparison = paired(right_a, right_b)
    first, second = _scored(a, labels, guess_a), _scored(b, labels, guess_b)
    return {
        "first": first,
        "second": second,
        "data": a.data.name,
        "part": a.results.part,
        **comparison,
        "same_predictions": float((guess_a == guess_b).mean()),
        "per_class": by_class(labels, right_a, right_b, a.results.class_names),
        "sentence": sentence(a.name, b.name, comparison),
        "notes": [*_notes(a, b, len(labels)), *_left_out(first), *_left_out(second)],
    }


@contextmanager
def fitting_together(*folders: Path) -> Iterator[None]:
    """Whatever the block stumbles over in run folders that were changed by hand or cut short is a FileError."""
    names = " or ".join(map(str, folders))
    try:
        yield
    except OSError as error:
        raise FileError(f"{error.filename or names}: {error.strerror or error}; restore it from a copy") from error
    except (ArithmeticError, AttributeError, LookupError, StopIteration, TypeError, ValueError) as error:
        why = " ".join(str(error).split())[:120]
        what = f"{type(error).__name__}: {why}"
        raise FileError(f"{names}: damaged, its files do not fit together ({what}); restore it from a copy") from error


def _side(folder: Path, other: Path) -> _Side:
    opened(folder)
    results = read_results(folder)
    name = folder.resolve().name
    path = folder / "resolved.json"
    data = from_json(DataFacts, read_json(path, "data")["data"], path)
    return _Side(folder, str(folder) if name == other.resolve().name else name, results, data)


def _keys(side: _Side, other: _Side) -> NDArray[Any]:
    """Return what tells the images of a side apart (n,): positions where both read the same data, else their files.

    Copies of a file are told apart by their place among them, in the order of their labels.
    """
    results = side.results
    if side.data.fingerprint == other.data.fingerprint:
        return results.positions
    order = np.lexsort((results.positions, results.labels, results.digests))
    files, copies = results.digests[order], Counter[str]()
    keys = np.empty(len(order), dtype=object)
    for row, digest in zip(order.tolist(), files.tolist(), strict=True):
        keys[row] = f"{digest} {copies[digest]}" if digest else f"{side.folder} {row}"
        copies[digest] += 1
    return keys.astype(np.str_)


def _check(a: _Side, b: _Side) -> None:
    if a.results.part != b.results.part:
        stopped, done = (a, b) if a.results.part == "validation" else (b, a)
        raise RunError(
            f"{stopped.folder} was stopped before it looked at test images, {done.folder} was not: "
            f"continue with `{how_to_resume(stopped.folder)}`, then compare"
        )


def _shared_labels(a: _Side, b: _Side, rows_a: NDArray[np.int64], rows_b: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return labels (n,) of the images that both have; a RunError where there are none, or the runs disagree."""
    part = a.results.part
    if not len(rows_a) and a.data.fingerprint != b.data.fingerprint:
        sides = (f"{side.folder} on {side.data.name}, fingerprint {side.data.fingerprint[:12]}" for side in (a, b))
        raise RunError(
            f"the runs were trained on different data ({'; '.join(sides)}) and tested on no file in common: "
            "compare runs on the same data, or on one folder"
        )
    if not len(rows_a):
        raise RunError(
            f"{a.folder} and {b.folder} share no {part} image: their splits differ; train both with the same --seed, "
            "--test and --limit"
        )
    labels = a.results.labels[rows_a]
    wrong = int((labels != b.results.labels[rows_b]).sum())
    if wrong or a.results.class_names != b.results.class_names:
        what = f"the labels of {wrong} of {len(labels)} {part} images" if wrong else "the names of the classes"
        raise RunError(f"{a.folder} and {b.folder} disagree about {what}: files of one do not belong to its run")
    return labels


def _scored(side: _Side, labels: NDArray[np.int64], predicted: NDArray[np.int64]) -> dict[str, Any]:
    """Return who a side is, and its scores on the shared images."""
    measured = measure(labels, predicted, side.results.class_names)
    rung = side.results.best
    return {
        "run": str(side.folder),
        "name": side.name,
        "rung": rung,
        "settings": side.results.settings[rung][side.results.winners[rung]],
        **{name: getattr(measured, name) for name in _SCORES},
        "macro_f1_interval": list(macro_f1_interval(labels, predicted, len(side.results.class_names))),
    }


def _left_out(scored: dict[str, Any]) -> list[str]:
    """Say which classes the macro F1 of a side leaves out."""
    without = left_out(scored["absent"])
    return [f"macro F1 of {scored['name']}: {without}"] if without else []


def _seen(side: _Side) -> str:
    """Return the shape of the images that a side was trained on, and what became of unequal sides."""
    shape = "×".join(map(str, side.data.image_shape))
    return f"{shape}, {FRAMED[side.data.framing]}" if side.data.unequal else shape


def _notes(a: _Side, b: _Side, shared: int) -> list[str]:
    part = a.results.part
    left = [(side, len(side.results.positions) - shared) for side in (a, b)]
    notes = []
    if a.data.fingerprint != b.data.fingerprint:
        shapes = " and ".join(map(_seen, (a, b)))
        notes = [f"the runs read their images differently ({shapes}): images of the same file are compared, by digest"]
    notes += [
        f"{count} {part} images of {side.name} left out: the other run was not tested on them"
        for side, count in left
        if count
    ]
    if part == "validation":
        notes.append(
            "both runs were stopped before they looked at test images: compared on validation images, by which their "
            "models were chosen, so both accuracies flatter"
        )
    return notes
