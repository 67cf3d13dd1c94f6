"""A trained model written in another program's format, and what was written compared to the model."""

__all__ = ["ExportCheck", "Exported", "export_model"]

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tenfold.data.given import file_pixels
from tenfold.data.listing import images_below
from tenfold.data.progress import counting
from tenfold.data.readers.images import remarks
from tenfold.errors import DataError, FileError, UsageError
from tenfold.rooms import find
from tenfold.runs.events import Watch, working
from tenfold.runs.predict import opened_model
from tenfold.trained.agreement import Agreement, agreement, made_images, model_answers, verified
from tenfold.trained.export import Export, Opened
from tenfold.trained.model import TrainedModel
from tenfold.trained.program import Program, program, widened

PIECE = 64
NAMED = 5


@dataclass(frozen=True)
class ExportCheck:
    """An export beside its run, on the images of a folder. agreement: on those that both read.

    differing: the first files with another class. unreadable: images that neither reads; refused: that the run reads
    and the export does not.
    """

    folder: str
    agreement: Agreement
    differing: tuple[str, ...]
    unreadable: int
    refused: int


@dataclass(frozen=True)
class Exported:
    """An export at a path. bytes: of its files. made: its agreement with the model on made images, None where it was
    there already. narrow: agreement of the run's own bfloat16 with float32 on these, None where the run has none.
    check: None where no folder was given.
    """

    export: str
    format: str
    bytes: int
    made: Agreement | None
    narrow: Agreement | None
    check: ExportCheck | None


def export_model(path: Path, word: str, out: str, force: bool, check: str, watch: Watch) -> Exported:
    """Write the model of a run folder, or of a model file, in the format of that name, and verify what was written.

    out: file or folder to write, "" for one beside the model. force: replace one that is there. check: a folder of
    images on which the export and the run are compared; an export that is there already is then compared as it is,
    unless force replaces it. Raises UsageError for an unknown format, for what a format cannot hold, and for an out
    that is there; FileError where the written file does not answer as the model does.
    """
    entry: Export = find("exports", word)
    if check and not Path(check).expanduser().is_dir():
        raise DataError(f"{check}: not a folder; --check takes a folder of images")
    trained = opened_model(path, out, check)
    operations = program(trained)
    place = Path(out).expanduser() if out else _beside(path, entry)
    made = None
    if force or not (check and place.exists()):
        _check_place(place, entry, force)
        made = _written(trained, operations, entry, place)
    compared = _compared(trained, operations, entry.open(place), Path(check).expanduser(), watch) if check else None
    return Exported(str(place), word, _size(place), made, _narrow(trained, operations), compared)


def _beside(path: Path, entry: Export) -> Path:
    model = path / "model.tenfold" if path.is_dir() else path
    return model.parent / f"{model.stem}{entry.ending}"


def _check_place(place: Path, entry: Export, force: bool) -> None:
    """Refuse a place where something is that may not, or cannot, be replaced."""
    if not place.exists():
        return
    if not force:
        raise UsageError(f"{place}: is there already; choose another --out, or replace it with --force")
    if place.is_dir() != entry.is_folder:
        kind = "folder" if place.is_dir() else "file"
        raise UsageError(f"{place}: is a {kind}, which the export is not; choose another --out")


def _written(trained: TrainedModel, operations: Program, entry: Export, place: Path) -> Agreement:
    """Write an export beside its place, verify it, and move it there; return how it agrees with the model."""
    place.parent.mkdir(parents=True, exist_ok=True)
    waiting = Path(tempfile.mkdtemp(prefix=".tenfold-export-", dir=place.parent))
    try:
        staged = waiting / "export" if entry.is_folder else waiting / "model"
        if entry.is_folder:
            staged.mkdir()
        entry.write(operations, staged)
        made = verified(widened(trained), operations, entry.open(staged))
        if not made.is_close:
            raise FileError(
                f"{place}: not written: on {made.images} made images the export gives {made.others} another class, and "
                f"its probabilities differ from the model's by up to {made.largest:.1e}; please report this model"
            )
        _move(staged, place)
    finally:
        shutil.rmtree(waiting, ignore_errors=True)
    return made


def _move(staged: Path, place: Path) -> None:
    """Move a file, or the files of a folder, to their place; other files that are there stay."""
    if staged.is_file():
        staged.replace(place)
        return
    place.mkdir(exist_ok=True)
    for file in sorted(staged.iterdir()):
        file.replace(place / file.name)


def _size(place: Path) -> int:
    return sum(file.stat().st_size for file in (place.iterdir() if place.is_dir() else [place]) if file.is_file())


def _narrow(trained: TrainedModel, operations: Program) -> Agreement | None:
    """Compare the model with its products in bfloat16 to the same in float32, on made images."""
    wide = widened(trained)
    if wide is trained or wide.model == trained.model:
        return None
    total = Agreement(0, 0, 0.0)
    for images in made_images(trained, operations):
        answers = (model_answers(model, operations, images) for model in (wide, trained))
        total = total.joined(agreement(*answers))
    return total


def _compared(trained: TrainedModel, operations: Program, opened: Opened, folder: Path, watch: Watch) -> ExportCheck:
    """Ask the run and the export about every image of a folder."""
    files = images_below(folder).paths
    reading = _Reading(operations, opened)
    total, differing = Agreement(0, 0, 0.0), list[str]()
    advance = counting(working(watch), "comparing images", len(files))
    with remarks():
        for start in range(0, len(files), PIECE):
            pairs = list(reading.pairs(files[start : start + PIECE]))
            for file, mine, theirs in pairs:
                wanted = model_answers(trained, operations, mine[None].astype(np.float32))
                one = agreement(opened.answers(theirs[None].astype(np.float32)), wanted)
                total = total.joined(one)
                differing += [str(file)] * one.others
            advance(min(start + PIECE, len(files)))
    if not total.images:
        raise DataError(f"{folder}: holds no images that can be read; --check takes a folder of images")
    return ExportCheck(str(folder), total, tuple(differing[:NAMED]), reading.unreadable, reading.refused)


@dataclass
class _Reading:
    """Files as the run reads them, and as the export does."""

    operations: Program
    opened: Opened
    unreadable: int = 0
    refused: int = 0

    def pairs(self, files: list[Path]) -> Iterator[tuple[Path, NDArray[np.uint8], NDArray[np.uint8]]]:
        """Yield each file that both read, with its pixels (C, S, S) as either reads them; count the others."""
        for file in files:
            try:
                mine = file_pixels(file, self.operations.form)[0]
            except DataError:
                self.unreadable += 1
                continue
            try:
                theirs = self.opened.pixels(file) if self.opened.pixels else mine
            except Exception:  # of a program that is not ours: whatever it raises, it did not read the file
                self.refused += 1
                continue
            yield file, mine, theirs
