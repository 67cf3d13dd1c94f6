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

import statistics
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
from tenfold.data.inorder import in_order
from tenfold.data.levels import Levels, Spread, bit_levels, levels_of
from tenfold.data.progress import Watch, counting
from tenfold.data.readers.images import ImageFile, images, in_mode, read, remarks
from tenfold.data.types import Precedent
from tenfold.errors import DataError
from tenfold.text import count

SIDE_CAP = 64
WHITE = "white"
BLOCK = 64  # images decoded by one task
SAMPLE = 256  # headers that the guess is made from
NOISE = 4  # grey photographs saved as RGB came back with 0 from JPEG, 1 from WebP, 3 from AVIF at quality 40
COLORED = 0.05


class Decoded(NamedTuple):
    """The images of files, in their order.

    pixels: (N, C, S, S) uint8. rows: positions of the files that could be read, (N,); files: their headers. precedent:
    background and levels as they were used. changes: conversion -> images that took it. unreadable: (position, error)
    of the others. remarks: sentences about all.
    """

    pixels: Tensor
    rows: list[int]
    files: list[ImageFile]
    precedent: Precedent
    changes: Counter[str]
    unreadable: list[tuple[int, DataError]]
    remarks: list[str]


class _Shape(NamedTuple):
    """Side and mode of all images."""

    side: int
    mode: str


class _Outcome(NamedTuple):
    """Result of reading one file; spread: of the values of a deep one that waits for its levels."""

    file: ImageFile
    changes: tuple[str, ...]
    colored: bool
    spread: Spread | None


Results = list["_Outcome | DataError"]


def decode(
    paths: Sequence[Path], labels: Sequence[int], size: int, precedent: Precedent, skip_unreadable: bool, watch: Watch
) -> Decoded:
    """Read all files, as squares of `size`, or of their median side and at most 64 where it is 0.

    labels: class of each. precedent: background and levels where they are given. Raises DataError for the first file
    that cannot be read, unless these are to be skipped.
    """
    with remarks() as heard:
        plan, right = None, _guess(paths, size)
        while plan is None or right not in (plan, _Shape(plan.side, "L")):
            plan = right
            work = _Work(paths, _blank(len(paths), plan), plan, precedent, skip_unreadable)
            results = work.done(range(len(paths)), counting(watch, "reading images", len(paths)))
            right = _plan(results, labels, size)
        pixels = _grey(work.pixels) if right.mode != plan.mode else work.pixels
        precedent, notes = _chosen(results, precedent)
        work = _Work(paths, pixels, right, precedent, skip_unreadable)
        waiting = [place for place, result in enumerate(results) if _waits(result, precedent)]
        again = work.done(waiting, counting(watch, "reading 16-bit and transparent images", len(waiting)))
        for place, result in zip(waiting, again, strict=True):
            results[place] = result
    if heard:
        notes.append(f"{count(len(heard), 'remark')} of the image decoder ignored, the first: {heard[0]}")
    return _decoded(pixels, results, right.mode, precedent, notes)


def _chosen(results: Results, precedent: Precedent) -> tuple[Precedent, list[str]]:
    """Return the precedent with background and levels, chosen by the files where it has none, and notes about them."""
    if precedent.background:
        background, note = precedent.background, ""
    else:
        background, note = background_of([result.file for result in results if isinstance(result, _Outcome)])
    precedent = precedent._replace(background=background, levels=precedent.levels or _levels(results))
    return precedent, [note] if note else []


def _waits(result: "_Outcome | DataError", precedent: Precedent) -> bool:
    """Test whether a file was decoded before its levels or its background were chosen."""
    if isinstance(result, DataError):
        return False
    return result.spread is not None or (result.file.transparent and precedent.background != WHITE)


def _blank(count: int, plan: _Shape) -> Tensor:
    return torch.empty((count, 1 if plan.mode == "L" else 3, plan.side, plan.side), dtype=torch.uint8)


def _guess(paths: Sequence[Path], size: int) -> _Shape:
    headers = []
    for path in paths[:: max(1, len(paths) // SAMPLE)]:
        with suppress(DataError):  # comes up again when the file is decoded
            headers.append(images(path))
    return _Shape(size or _side(headers), "L" if all(header.grey for header in headers) else "RGB")


def _side(files: Sequence[ImageFile]) -> int:
    sides = [side for file in files for side in (file.width, file.height)]
    return max(1, min(SIDE_CAP, int(statistics.median(sides)))) if sides else 1


def _plan(results: Results, labels: Sequence[int], size: int) -> _Shape:
    """Return the plan that fits the files that could be read."""
    outcomes = [(result, label) for result, label in zip(results, labels, strict=True) if isinstance(result, _Outcome)]
    files, colored = Counter[int](), Counter[int]()
    for outcome, label in outcomes:
        files[label] += 1
        colored[label] += outcome.colored
    few = colored.total() <= COLORED * files.total() and all(2 * colored[label] <= files[label] for label in files)
    return _Shape(size or _side([outcome.file for outcome, _ in outcomes]), "L" if few else "RGB")


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
            picture = read(path, self.plan.side, self.precedent.background or WHITE, self.precedent.levels)
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


def _grey(pixels: Tensor) -> Tensor:
    """Return RGB images (N, 3, S, S) as grey ones (N, 1, S, S), each as `in_mode` does it."""
    grey = torch.empty((len(pixels), 1, *pixels.shape[2:]), dtype=torch.uint8)
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
    if unreadable:
        pixels = pixels[torch.tensor(rows, dtype=torch.int64)]
    return Decoded(pixels, rows, [outcome.file for outcome in outcomes], precedent, changes, unreadable, notes)


def _change(outcome: _Outcome, mode: str) -> str:
    if mode == "RGB":
        return "grey to RGB"
    return "RGB to grey" if outcome.colored else "RGB that holds only grey, read as grey"
