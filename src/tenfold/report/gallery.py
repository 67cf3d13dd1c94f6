"""The images behind the numbers: cells of the confusion matrix, most confident mistakes, least certain images."""

__all__ = ["Answer", "Matrix", "answers", "cell_data", "matrix"]

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.report.pictures import Album, Picture
from tenfold.report.results import Results
from tenfold.report.selection import ConfusionCell, cells
from tenfold.text import count, label, percent

# More classes than this are no matrix that one can read.
CLASSES = 30
LISTED = 60
# Pixels of all pictures behind the cells together, which come to about half a byte each, and pictures behind one.
PIXELS, EACH = 2_000_000, 24
LINES = 5000
LEVELS = 9


class Answer(NamedTuple):
    """An image, what it is, what it was taken for, and how sure the model was of that."""

    picture: Picture
    true: str
    predicted: str
    right: bool
    confidence: str
    alt: str


class Entry(NamedTuple):
    """A cell as the page shows it. key: "3-5", "" where it is empty; level: 0 to 9, its shade; said: its label."""

    key: str
    images: int
    level: int
    right: bool
    said: str
    share: str


class Matrix(NamedTuple):
    """rows: one a true class, or () where there are too many classes. largest: the most frequent confusions."""

    names: list[str]
    rows: list[list[Entry]]
    largest: list[Entry]


def matrix(results: Results) -> Matrix:
    """Return counts of the best rung, and its largest confusions."""
    names = [label(name, 40) for name in results.class_names]
    counted = cells(results)
    entries = {(cell.true, cell.predicted): _entry(cell, names) for cell in counted}
    wrong = [cell for cell in counted if cell.true != cell.predicted]
    largest = sorted(wrong, key=lambda cell: -cell.images)[: LISTED if len(names) > CLASSES else 8]
    size = range(len(names)) if len(names) <= CLASSES else ()
    rows = [[entries.get((t, p)) or Entry("", 0, 0, t == p, "", "") for p in size] for t in size]
    return Matrix(names, rows, [entries[cell.true, cell.predicted] for cell in largest])


def _entry(cell: ConfusionCell, names: Sequence[str]) -> Entry:
    right = cell.true == cell.predicted
    images = count(cell.images, "image")
    taken = f"{names[cell.true]} taken for what {'it is' if cell.images == 1 else 'they are'}" if right else ""
    said = f"{images} of {taken or f'{names[cell.true]} taken for {names[cell.predicted]}'}"
    level = max(1, math.ceil(LEVELS * math.sqrt(cell.share)))
    return Entry(f"{cell.true}-{cell.predicted}", cell.images, level, right, said, percent(cell.share))


def cell_data(results: Results, album: Album) -> dict[str, Any]:
    """Return the content that opens behind each cell of the page: title, count, and its first images."""
    opened = cells(results)
    if len(results.class_names) > CLASSES:
        wrong = [cell for cell in opened if cell.true != cell.predicted]
        opened = sorted(wrong, key=lambda cell: -cell.images)[:LISTED]
    most = _most(len(opened), album)
    return {f"{cell.true}-{cell.predicted}": _behind(cell, results, album, most) for cell in opened}


def _most(shown: int, album: Album) -> int:
    """Return images behind a cell, so that all of them together stay small."""
    if not album.open:
        return max(1, min(100, LINES // max(shown, 1)))
    return max(1, min(EACH, PIXELS // (album.pixels * max(shown, 1))))


def _behind(cell: ConfusionCell, results: Results, album: Album, most: int) -> dict[str, Any]:
    names = results.class_names
    pictures = [album.picture(int(results.positions[row])) for row in cell.rows[:most]]
    confidence = results.confidence.get(results.best, np.full(len(results.labels), np.nan))
    return {
        "true": label(names[cell.true], 40),
        "predicted": label(names[cell.predicted], 40),
        "count": cell.images,
        "share": percent(cell.share),
        "images": [
            [picture.position, percent(float(confidence[row])), picture.uri, picture.path]
            for picture, row in zip(pictures, cell.rows, strict=False)
        ],
    }


def answers(results: Results, album: Album, rows: NDArray[np.int64]) -> list[Answer]:
    """Return images of the report's part, by their rows in the results."""
    return [_answer(results, album, int(row)) for row in rows]


def _answer(results: Results, album: Album, row: int) -> Answer:
    names, predicted = results.class_names, results.predicted[results.best]
    picture = album.picture(int(results.positions[row]))
    true, taken = label(names[results.labels[row]], 40), label(names[predicted[row]], 40)
    confidence = results.confidence.get(results.best)
    sure = percent(None if confidence is None else float(confidence[row]))
    right = bool(results.labels[row] == predicted[row])
    alt = f"image {picture.position}, a {true}, taken for {taken} with {sure} % confidence"
    return Answer(picture, true, taken, right, sure, alt)
