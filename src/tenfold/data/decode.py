"""Image files to the pixels of a data set: one size, one mode, one range of values, each file opened once.

Side and mode follow from all files and are needed before the first is decoded. So they are guessed from the headers of
a few hundred files; every file is then opened once, its header kept and its pixels decoded as the guess has it; and
where the guess proves wrong the files are decoded again. Files deeper than 8 bits wait for their range
(`tenfold.data.levels`) and transparent ones for their background, which takes a second look at them.

Grey is judged by content: a picture is grey where red, green and blue agree in what is kept of it, up to NOISE levels
that a lossy format leaves. A set of images is grey where at most one in twenty is colored, and no class has more
colored ones than grey ones.
"""

__all__ = ["Decoded", "decode"]

import math
import os
import statistics
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tenfold.data.background import background_of
from tenfold.data.framing import framing_of
from tenfold.data.inorder import in_order
from tenfold.data.levels import Levels, Spread, bit_levels, levels_of
from tenfold.data.progress import counting
from tenfold.data.readers.images import ImageFile, images, in_mode, read, remarks
from tenfold.data.types import DataSource, Precedent
from tenfold.errors import DataError
from tenfold.text import count, size_of

SIDE_CAP = 64
IN_MEMORY = 2**30  # bytes of pixels up to which they are kept there
WHITE, SQUASH = "white", "squash"
BLOCK = 64  # images decoded by one task
SAMPLE = 256  # headers that the guess is made from
NOISE = 4  # grey photographs saved as RGB came back with 0 from JPEG, 1 from WebP, 3 from AVIF at quality 40
COLORED = 0.05
DARK = 15  # 12 bits beside 16 reach a sixteenth of their range


class Decoded(NamedTuple):
    """The images of files, in their order.

    pixels: (N, C, S, S) uint8. rows: positions of the files that could be read, (N,); files: their headers. precedent:
    background, levels and framing as they were used. changes: conversion -> images that took it. unreadable: (position,
    error) of the others. remarks: sentences about all.
    """

    pixels: Tensor
    rows: list[int]
    files: list[ImageFile]
    precedent: Precedent
    changes: Counter[str]
    unreadable: list[tuple[int, DataError]]
    remarks: list[str]


class _Shape(NamedTuple):
    """Side, mode and framing of all images; framing is "" where all sides are equal."""

    side: int
    mode: str
    framing: str


class _Outcome(NamedTuple):
    """Result of reading one file; spread: of the values of a deep one that waits for its levels."""

    file: ImageFile
    changes: tuple[str, ...]
    colored: bool
    spread: Spread | None


Results = list["_Outcome | DataError"]


def decode(paths: Sequence[Path], labels: Sequence[int], source: DataSource) -> Decoded:
    """Read all files, as squares of the source's size, or of their median side and at most 64 where that is 0.

    labels: class of each. source.precedent: background, levels and framing where they are given. Pixels that are too
    many for memory lie in a file that is gone when they are. Raises DataError for the first file that cannot be read,
    unless these are to be skipped.
    """
    size, precedent, skip_unreadable, watch = source.size, source.precedent, source.skip_unreadable, source.watch
    with remarks() as heard:
        plan, right = None, _guess(paths, size, precedent.framing)
        while plan is None or right not in (plan, plan._replace(mode="L")):
            plan = right
            work = _Work(paths, _blank(len(paths), plan, source.scratch), plan, precedent, skip_unreadable)
            results = work.done(range(len(paths)), counting(watch, "reading images", len(paths)))
            right = _plan(results, labels, size, precedent.framing)
        pixels = _grey(work.pixels, right, source.scratch) if right.mode != plan.mode else work.pixels
        precedent, notes = _chosen(results, precedent, right)
        work = _Work(paths, pixels, right, precedent, skip_unreadable)
        waiting = [place for place, result in enumerate(results) if _waits(result, precedent)]
        again = work.done(waiting, counting(watch, "reading 16-bit and transparent images", len(waiting)))
        for place, result in zip(waiting, again, strict=True):
            results[place] = result
    if heard:
        notes.append(f"{count(len(heard), 'remark')} of the image decoder ignored, the first: {heard[0]}")
    return _decoded(pixels, results, right.mode, precedent, notes)


def _chosen(results: Results, precedent: Precedent, shape: _Shape) -> tuple[Precedent, list[str]]:
    """Return the precedent with what the files choose where it has nothing, and notes about that."""
    if precedent.background:
        background, note = precedent.background, ""
    else:
        background, note = background_of([result.file for result in results if isinstance(result, _Outcome)])
    framing = framing_of(precedent.framing, shape.mode != "L")
    levels = precedent.levels or _levels(results)
    precedent = precedent._replace(background=background, levels=levels, framing=framing)
    notes = [note] if note else []
    spreads = [result.spread for result in results if isinstance(result, _Outcome) and result.spread]
    dark = sum(_is_dark(spread, levels) for spread in spreads)
    if dark:
        notes.append(f"{count(dark, 'image')} of 16 bits nearly black: the values of others are 15 times as large")
    return precedent, notes


def _is_dark(spread: Spread, levels: Levels) -> bool:
    """Test for a deep image that takes less than a fifteenth of the range, as one of 12 bits beside others of 16."""
    low, high = levels
    return DARK * (spread.most - low) < high - low


def _waits(result: "_Outcome | DataError", precedent: Precedent) -> bool:
    """Test whether a file was decoded before its levels or its background were chosen."""
    if isinstance(result, DataError):
        return False
    return result.spread is not None or (result.file.transparent and precedent.background != WHITE)


def _blank(count: int, plan: _Shape, scratch: str) -> Tensor:
    """Return room for the pixels of all images; in a file without a name where they are many."""
    shape = (count, 1 if plan.mode == "L" else 3, plan.side, plan.side)
    size = math.prod(shape)
    if size <= IN_MEMORY:
        return torch.empty(shape, dtype=torch.uint8)
    try:
        with tempfile.TemporaryFile(dir=scratch or None) as file:
            if hasattr(os, "posix_fallocate"):  # a full disk shows here, not by a signal while pixels are written
                os.posix_fallocate(file.fileno(), 0, size)
            return torch.from_numpy(np.memmap(file, np.uint8, "w+", shape=shape))
    except OSError as error:
        place = scratch or tempfile.gettempdir()
        raise DataError(
            f"{place}: no room for {size_of(size)} of pixels ({error.strerror or error}); free some, or give a smaller "
            "--size"
        ) from None


def _guess(paths: Sequence[Path], size: int, framing: str) -> _Shape:
    headers = []
    for path in paths[:: max(1, len(paths) // SAMPLE)]:
        with suppress(DataError):  # comes up again when the file is decoded
            headers.append(images(path))
    return _shape(headers, size, all(header.grey for header in headers), framing)


def _shape(files: Sequence[ImageFile], size: int, grey: bool, framing: str) -> _Shape:
    is_equal = all(file.width == file.height for file in files)
    return _Shape(size or _side(files), "L" if grey else "RGB", "" if is_equal else framing_of(framing, not grey))


def _side(files: Sequence[ImageFile]) -> int:
    sides = [side for file in files for side in (file.width, file.height)]
    return max(1, min(SIDE_CAP, int(statistics.median(sides)))) if sides else 1


def _plan(results: Results, labels: Sequence[int], size: int, framing: str) -> _Shape:
    """Return the plan that fits the files that could be read."""
    outcomes = [(result, label) for result, label in zip(results, labels, strict=True) if isinstance(result, _Outcome)]
    files, colored = Counter[int](), Counter[int]()
    for outcome, label in outcomes:
        files[label] += 1
        colored[label] += outcome.colored
    few = colored.total() <= COLORED * files.total() and all(2 * colored[label] <= files[label] for label in files)
    return _shape([outcome.file for outcome, _ in outcomes], size, few, framing)


class _Work(NamedTuple):
    """Files and where their pixels go."""

    paths: Sequence[Path]
    pixels: Tensor
    plan: _Shape
    precedent: Precedent
    skip_unreadable: bool

    def done(self, places: Sequence[int], advance: Callable[[int], None]) -> Results:
        """Decode the files at these positions."""
        array = self.pixels.numpy()

        def block(start: int) -> Results:
            return [self.one(self.paths[place], array[place]) for place in places[start : start + BLOCK]]

        results: Results = []
        for outcomes in in_order(block, range(0, len(places), BLOCK)):
            if not self.skip_unreadable:
                for error in outcomes:
                    if isinstance(error, DataError):
                        raise error
            results += outcomes
            advance(len(results))
        return results

    def one(self, path: Path, target: NDArray[np.uint8]) -> "_Outcome | DataError":
        """Decode one file into its place."""
        try:
            background, framing = self.precedent.background or WHITE, self.plan.framing or SQUASH
            picture = read(path, self.plan.side, background, self.precedent.levels, framing)
        except DataError as error:
            return error
        target[...] = in_mode(picture.pixels, self.plan.mode)
        colored = not picture.file.grey and _noise(picture.pixels) > NOISE
        return _Outcome(picture.file, picture.changes, colored, picture.spread)


def _noise(pixels: NDArray[np.uint8]) -> int:
    """Return the largest difference of two channels, of (3, H, W), or another above NOISE."""
    middle: list[int] = pixels[:, pixels.shape[1] // 2, pixels.shape[2] // 2].tolist()
    if (there := max(middle) - min(middle)) > NOISE:  # of most photographs, and sooner
        return there
    return int((pixels.max(0) - pixels.min(0)).max())


def _grey(pixels: Tensor, plan: _Shape, scratch: str) -> Tensor:
    """Return RGB images (N, 3, S, S) as grey ones (N, 1, S, S), each as `in_mode` does it."""
    grey = _blank(len(pixels), plan, scratch)
    for colors, target in zip(pixels.numpy(), grey.numpy(), strict=True):
        target[...] = in_mode(colors, "L")
    return grey


def _levels(results: Results) -> Levels:
    """Return the range of the deep files; beside others it is that of their bits, so that both stay as bright."""
    outcomes = [result for result in results if isinstance(result, _Outcome)]
    spreads = [outcome.spread for outcome in outcomes if outcome.spread]
    if not spreads:
        return ()
    return levels_of(spreads) if len(spreads) == len(outcomes) else bit_levels(spreads)


def _decoded(pixels: Tensor, results: Results, mode: str, precedent: Precedent, notes: list[str]) -> Decoded:
    unreadable = [(place, result) for place, result in enumerate(results) if isinstance(result, DataError)]
    rows, outcomes, changes = [], [], Counter[str]()
    for place, result in enumerate(results):
        if isinstance(result, _Outcome):
            rows.append(place)
            outcomes.append(result)
            changes.update(result.changes)
            if result.file.grey != (mode == "L"):
                changes[_change(result, mode)] += 1
    for place, row in enumerate(rows) if unreadable else ():
        pixels[place] = pixels[row]
    pixels = pixels[: len(rows)]
    return Decoded(pixels, rows, [outcome.file for outcome in outcomes], precedent, changes, unreadable, notes)


def _change(outcome: _Outcome, mode: str) -> str:
    if mode == "RGB":
        return "grey to RGB"
    return "RGB to grey" if outcome.colored else "RGB that holds only grey, read as grey"
