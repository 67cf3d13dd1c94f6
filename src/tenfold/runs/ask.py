"""A trained model asked about image files: they are read in threads and answered in slices, in their order."""

__all__ = ["Asking", "FileAnswer", "UnreadFile", "ask", "predict_files"]

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from tenfold.data.given import Form, file_pixels
from tenfold.data.inorder import in_order
from tenfold.data.listing import images_below, left_out_note
from tenfold.data.progress import counting
from tenfold.data.readers.images import remarks
from tenfold.errors import DataError, UsageError, blamed
from tenfold.runs.events import Watch, silent, working
from tenfold.runs.predict import is_model, opened_model
from tenfold.text import count, visible
from tenfold.trained.answer import form_of
from tenfold.trained.model import TrainedModel, finite_scores, in_training, shares

BLOCK = 64  # files that are answered at once
NAMED = 3
_FRAMED = {"squash": "squashed to", "crop": "cropped and resized to", "letterbox": "put between grey bars in"}


class FileAnswer(NamedTuple):
    """Answer of a model about a file. probabilities: of the classes in their order. in_training: None where unknown."""

    file: str
    predicted: str
    probabilities: list[float]
    in_training: bool | None


class UnreadFile(NamedTuple):
    """A file that could not be read, and why."""

    file: str
    reason: str


class _FileRead(NamedTuple):
    """A file: its pixels (C, S, S), None where it could not be read; what was done to them, else why not."""

    file: Path
    pixels: NDArray[np.uint8] | None
    changes: tuple[str, ...]


@dataclass
class Asking:
    """A model, and files that it is asked about by `answers`; counts are complete when that has ended."""

    path: Path
    trained: TrainedModel
    form: Form
    files: list[Path]
    left_out: list[str]
    watch: Watch
    answered: int = 0
    unread: list[UnreadFile] = field(default_factory=list)
    changes: Counter[str] = field(default_factory=Counter)
    met: list[str] = field(default_factory=list)

    def answers(self) -> Iterator[FileAnswer | UnreadFile]:
        """Yield what the model says of each file, or why it could not be read. Raises DataError if none could be."""
        advance = counting(working(self.watch), "predicting", len(self.files))
        with remarks():
            for number, block in enumerate(in_order(self._read, range(0, len(self.files), BLOCK))):
                yield from self._answered(block)
                advance(BLOCK * number + len(block))
        if not self.answered:
            raise DataError(self._unread_note([unread.reason for unread in self.unread]))

    def notes(self) -> list[str]:
        """Say what was done to the images, what was left out, and which of them were in the model's training."""
        notes = [self._unread_note([unread.file for unread in self.unread])] if self.unread else []
        notes += [f"{count(n, 'image')}: {change}" for change, n in sorted(self.changes.items())]
        return notes + self.left_out + self._met_note()

    def _read(self, start: int) -> list[_FileRead]:
        return [_read_file(file, self.form) for file in self.files[start : start + BLOCK]]

    def _answered(self, block: Sequence[_FileRead]) -> Iterator[FileAnswer | UnreadFile]:
        answers = iter(self._asked([read for read in block if read.pixels is not None]))
        for read in block:
            answer = UnreadFile(str(read.file), read.changes[0]) if read.pixels is None else next(answers)
            if isinstance(answer, UnreadFile):
                self.unread.append(answer)
            else:
                self.answered += 1
                self.changes.update(read.changes)
                self.met += [answer.file] * bool(answer.in_training)
            yield answer

    def _asked(self, block: Sequence[_FileRead]) -> list[FileAnswer]:
        """Return what the model says of files that were read, all at once."""
        if not block:
            return []
        inputs = torch.cat([self.form.of_bytes(read.pixels) for read in block if read.pixels is not None])
        z, seen = finite_scores(self.trained, inputs, self.path), in_training(self.trained, inputs)
        met = [None] * len(block) if seen is None else seen.tolist()
        rows = shares(z, self.trained.loss, self.trained.temperature).tolist()
        labels = [self.trained.class_names[k] for k in z.argmax(1).tolist()]
        named = (str(read.file) for read in block)
        return [FileAnswer(*answer) for answer in zip(named, labels, rows, met, strict=True)]

    def _unread_note(self, named: Sequence[str]) -> str:
        """Count the files that could not be read. named: what is said of each; of the first few it is."""
        listed = "; ".join([*named[:NAMED], *["…"] * (len(named) > NAMED)])
        return f"{len(named)} of {len(self.files)} images could not be read: {listed}"

    def _met_note(self) -> list[str]:
        """Say which pictures the model was trained on."""
        if not self.met:
            return []
        listed = ", ".join([*(visible(Path(name).name) for name in self.met[:NAMED]), *["…"] * (len(self.met) > NAMED)])
        images = f"{len(self.met):,} of {count(self.answered, 'image')}"
        return [f"{images} were in the model's training, by their content: {listed}"]


def ask(path: Path, places: Sequence[Path], watch: Watch = silent) -> Asking:
    """Return a model and the image files at places, those in folders in the order of their names.

    Raises UsageError for a model among the places, DataError for a folder without images.
    """
    trained = opened_model(path, *map(str, places))
    if model := next((place for place in places if is_model(place)), None):
        raise UsageError(f"{model}: a run or a model, not images; give one model, then image files or folders")
    with blamed(str(path)):
        form = form_of(trained)
        form.mode  # noqa: B018 - refuses a model that takes no pictures
    listed = [_files(place) for place in places]
    files = [file for paths, _ in listed for file in paths]
    return Asking(path, trained, form, files, [note for _, note in listed if note], watch)


def predict_files(path: Path, places: Sequence[Path], watch: Watch = silent) -> dict[str, Any]:
    """Return probabilities of every class for image files, and for those in folders; which could not be read; notes."""
    asking = ask(path, places, watch)
    answers = list(asking.answers())
    return {
        "model": str(path),
        "class_names": list(asking.trained.class_names),
        "predictions": [answer._asdict() for answer in answers if isinstance(answer, FileAnswer)],
        "unreadable": [unread._asdict() for unread in asking.unread],
        "notes": asking.notes(),
    }


def _files(place: Path) -> tuple[list[Path], str]:
    """List a file itself, or the images in a folder at any depth by their names; say which entries are none."""
    if not place.is_dir():
        return [place], ""
    listing = images_below(place)
    note = left_out_note(place, listing.left_out) if listing.left_out else ""
    if not listing.paths:
        left_out = f" ({note})" if note else ""
        raise DataError(f"{place}: holds no images{left_out}; give image files, or folders of them")
    return listing.paths, note


def _read_file(file: Path, form: Form) -> _FileRead:
    try:
        pixels, changes, is_unequal = file_pixels(file, form)
    except DataError as error:
        return _FileRead(file, None, (str(error),))
    framed = f"{_FRAMED[form.precedent.framing]} {form.side} × {form.side}"
    squares = [f"not square, {framed}"] * is_unequal
    return _FileRead(file, pixels, (*_unlike_training(changes, form), *squares))


def _unlike_training(changes: Sequence[str], form: Form) -> list[str]:
    """Return what was done to the values of a file that was not done in training."""
    why = "by its own bits: the model was trained on 8-bit images"
    return [f"{change}, {why}" for change in changes if change.startswith("16 bits") and not form.precedent.levels]
