"""Audit of a data set before anything is trained on it: counts, duplicates, and whatever would spoil the result."""

__all__ = ["Audit", "as_json", "audit", "groups_of"]

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tenfold.data.duplicates import Duplicates, Groups, find_duplicates
from tenfold.data.progress import Watch, unwatched
from tenfold.data.readers.images import remarks
from tenfold.data.types import Dataset, Reading

BLOCK = 512
FEW = 5
IMBALANCED = 10
BLANK = 1 / 15  # of the range of values: 12 bits beside 16 reach a sixteenth
SHOWN = 5  # names in a sentence


@dataclass(frozen=True)
class Audit:
    """Everything that an audit found; positions are those of the data set.

    shape: (channels, height, width) of the stored images; type: "uint8" or "float32". counts: part -> images of each
    class; the part is "all" where the source has none. imbalance: largest class over smallest, in the training part.
    reading: of a folder's files, else None. framing: what became of unequal sides. means: (C, height, width, channels)
    uint8, the mean image of each class. duplicates: groups of images that are one picture. spread: parts that a group
    is in -> number of exact, near and large groups. twins: "test" and "validation", where the source has them -> pairs
    of an image of that part and its twin in training. conflicts: groups of identical images that have different labels.
    warnings: plain sentences.
    """

    name: str
    images: int
    shape: tuple[int, ...]
    type: str
    class_names: tuple[str, ...]
    counts: dict[str, tuple[int, ...]]
    imbalance: float
    reading: Reading | None
    framing: str
    means: NDArray[np.uint8]
    duplicates: Duplicates
    spread: dict[tuple[str, ...], dict[str, int]]
    twins: dict[str, tuple[tuple[int, int], ...]]
    conflicts: Groups
    warnings: tuple[str, ...]


def audit(dataset: Dataset, watch: Watch = unwatched, seconds: float = float("inf")) -> Audit:
    """Look through a data set that was loaded; labels of test images are counted and compared, never learned from.

    watch: called with the progress. seconds: after which near duplicates are no longer looked for, which is a warning.
    """
    with remarks():  # of files that are read again; they were counted when they were read first
        duplicates = find_duplicates(dataset, watch, seconds)
    parts = dataset.parts or {"all": torch.arange(len(dataset.labels))}
    names = dataset.class_names
    counts = {part: tuple(_counts(dataset.labels[rows], len(names))) for part, rows in parts.items()}
    training = counts["train" if "train" in counts else "all"]
    place = _place(parts, len(dataset.labels))
    twins = _twins(duplicates, place, parts)
    conflicts = _conflicts(duplicates.same, dataset.labels.numpy())
    return Audit(
        name=dataset.name,
        images=len(dataset.labels),
        shape=tuple(dataset.images.shape[1:]),
        type=str(dataset.images.dtype).removeprefix("torch."),
        class_names=names,
        counts=counts,
        imbalance=max(training) / max(1, min(training)),
        reading=dataset.reading,
        framing=dataset.framing,
        means=_means(dataset),
        duplicates=duplicates,
        spread=_spread(duplicates, place),
        twins=twins,
        conflicts=conflicts,
        warnings=(
            *_class_warnings(names, counts, training),
            *_sameness_warnings(duplicates.same, dataset.labels.numpy(), names),
            *_blank_warnings(dataset),
            *_twin_warnings(twins, counts),
            *_search_warnings(duplicates),
            *_conflict_warnings(conflicts, dataset.labels.tolist(), names),
        ),
    )


def as_json(result: Audit) -> dict[str, Any]:
    """Return the audit as plain JSON, without pixels; groups are lists of positions."""
    duplicates, reading = result.duplicates, result.reading
    return {
        "data": result.name,
        "images": result.images,
        "shape": list(result.shape),
        "type": result.type,
        "class_names": list(result.class_names),
        "counts": {part: list(counts) for part, counts in result.counts.items()},
        "imbalance": result.imbalance,
        "sizes": dict(reading.sizes) if reading else {},
        "unequal": reading.unequal if reading else 0,
        "framing": result.framing,
        "modes": dict(reading.modes) if reading else {},
        "unreadable": list(reading.unreadable) if reading else [],
        "ignored": reading.ignored if reading else 0,
        "near_searched": duplicates.searched,
        "near_doubted": duplicates.doubted,
        "near_unseen": duplicates.unseen,
        "near_late": list(duplicates.late),
        "exact": [list(group) for group in duplicates.exact],
        "near": [list(group) for group in duplicates.near],
        "large": [list(group) for group in duplicates.large],
        "spread": [{"parts": list(parts), **kinds} for parts, kinds in result.spread.items()],
        "twins": {part: [list(pair) for pair in pairs] for part, pairs in result.twins.items()},
        "conflicts": [list(group) for group in result.conflicts],
        "warnings": list(result.warnings),
    }


def groups_of(content: Mapping[str, Any]) -> Groups:
    """Return the groups that a split must keep together, each once, from an audit's JSON: at most 50 images each."""
    near = [tuple(group) for group in content["near"]]
    held = {image for group in near for image in group}
    return (*near, *(tuple(group) for group in content["exact"] if group[0] not in held))


def _counts(labels: Tensor, classes: int) -> list[int]:
    return [int(count) for count in torch.bincount(labels, minlength=classes)]


def _place(parts: Mapping[str, Tensor], count: int) -> list[str]:
    """Return the part of every image, "" for those in none."""
    place = [""] * count
    for part, rows in parts.items():
        for row in rows.tolist():
            place[row] = part
    return place


def _means(dataset: Dataset) -> NDArray[np.uint8]:
    """Return the mean image of each class; floats are shown from their smallest to their largest value."""
    images, classes = dataset.images, len(dataset.class_names)
    sums = torch.zeros(classes, images[0].numel(), dtype=torch.float64)
    for rows, labels in zip(torch.split(images, BLOCK), torch.split(dataset.labels, BLOCK), strict=True):
        sums.index_add_(0, labels, rows.flatten(1).double())
    means = sums / torch.bincount(dataset.labels, minlength=classes)[:, None]
    low, high = 0.0, 1 / dataset.scale
    if images.dtype != torch.uint8:
        low, high = float(images.min()), float(images.max())
    shown = ((means - low) * (255 / (high - low or 1.0))).round().clamp(0, 255).to(torch.uint8)
    return shown.reshape(classes, *images.shape[1:]).permute(0, 2, 3, 1).contiguous().numpy()


def _spread(duplicates: Duplicates, place: Sequence[str]) -> dict[tuple[str, ...], dict[str, int]]:
    """Count the groups of each kind by the parts they lie in; exact groups inside a near one count with that."""
    held = {image for group in duplicates.near for image in group}
    exact = [group for group in duplicates.exact if group[0] not in held]
    spread: dict[tuple[str, ...], dict[str, int]] = {}
    for kind, groups in (("exact", exact), ("near", duplicates.near), ("large", duplicates.large)):
        for parts, count in Counter(_in_order({place[image] for image in group}) for group in groups).items():
            spread.setdefault(parts, {"exact": 0, "near": 0, "large": 0})[kind] = count
    return dict(sorted(spread.items()))


def _in_order(parts: set[str]) -> tuple[str, ...]:
    return tuple(sorted(parts, key=("train", "validation", "test", "all", "").index))


def _twins(
    duplicates: Duplicates, place: Sequence[str], parts: Mapping[str, Tensor]
) -> dict[str, tuple[tuple[int, int], ...]]:
    """Return images of the other parts, each with a training image of its group, an identical one if there is one."""
    pairs_of: dict[str, list[tuple[int, int]]] = {part: [] for part in ("validation", "test") if part in parts}
    for group in (*duplicates.exact, *duplicates.near, *duplicates.large):
        training = [image for image in group if place[image] == "train"]
        for image in group if training else ():
            if place[image] in pairs_of:
                alike = (twin for twin in training if duplicates.same[twin] == duplicates.same[image])
                pairs_of[place[image]].append((image, next(alike, training[0])))
    return {part: tuple(sorted(set(pairs))) for part, pairs in pairs_of.items()}


def _conflicts(same: NDArray[np.int64], labels: NDArray[np.int64]) -> Groups:
    """Return groups of identical images, however large, that do not have one label."""
    first = np.unique(same[labels != labels[same]])
    return tuple(tuple(np.flatnonzero(same == image).tolist()) for image in first)


def _class_warnings(names: Sequence[str], counts: Mapping[str, Sequence[int]], training: Sequence[int]) -> list[str]:
    warnings = []
    few = [names[k] for k, count in enumerate(training) if count < FEW]
    if few:
        what = "class has" if len(few) == 1 else "classes have"
        warnings.append(
            f"{len(few):,} {what} fewer than {FEW} training images: {_listed(few)}; "
            "a model learns little from so few: add images, or leave the classes out"
        )
    largest, smallest = max(training), max(1, min(training))
    if largest > IMBALANCED * smallest:
        warnings.append(
            f"the largest class has {largest / smallest:,.0f} times as many training images as the smallest; "
            "--class-weight balanced and --metric macro_f1 make every class count the same"
        )
    for part in ("validation", "test"):
        missing = [names[k] for k, count in enumerate(counts.get(part, ())) if not count]
        if missing:
            warnings.append(f"no {part} images of {_listed(missing)}: this class is not measured there")
    return warnings


def _sameness_warnings(same: NDArray[np.int64], labels: NDArray[np.int64], names: Sequence[str]) -> list[str]:
    if len(same) > 1 and not same.any():
        return ["all images are identical: there is nothing to learn"]
    constant = []
    for k, name in enumerate(names):
        of_class = same[labels == k]
        if len(of_class) > 1 and (of_class == of_class[0]).all():
            constant.append(name)
    return (
        [f"all images of {_listed(constant)} are identical: a model learns one picture, not the class"]
        if constant
        else []
    )


def _blank_warnings(dataset: Dataset) -> list[str]:
    """Say which pictures hold next to nothing: scans of an empty page, and values far below the range of others."""
    if dataset.images.dtype != torch.uint8:
        return []
    ranges = [block.amax(1).int() - block.amin(1).int() for block in torch.split(dataset.images.flatten(1), BLOCK)]
    blank = np.flatnonzero(torch.cat(ranges).numpy() * dataset.scale < BLANK)
    if not 0 < len(blank) < len(dataset.images):
        return []
    shown = ["/".join(Path(dataset.paths[n]).parts[-2:]) if dataset.paths else f"image {n:,}" for n in blank]
    return [
        f"{len(blank):,} of {len(dataset.images):,} images are nearly blank, all of their values within a fifteenth of "
        f"the range: {_listed(shown)}; a model sees next to nothing in them"
    ]


def _twin_warnings(twins: Mapping[str, Sequence[tuple[int, int]]], counts: Mapping[str, Sequence[int]]) -> list[str]:
    warnings = []
    for part, pairs in twins.items():
        total = sum(counts[part])
        if pairs:
            share = f"{len(pairs):,} of {total:,} {part} images ({100 * len(pairs) / total:.2f} %)"
            have = "has" if len(pairs) == 1 else "have"
            warnings.append(f"{share} {have} a duplicate in the training part: their score is partly memory")
    return warnings


def _search_warnings(duplicates: Duplicates) -> list[str]:
    """Say where the search for near duplicates fails, was cut short, or binds nothing."""
    warnings = []
    if duplicates.doubted:
        warnings.append(
            f"{duplicates.doubted:,} of {len(duplicates.same):,} images look like near duplicates of others: "
            "so many are drawings, one scene, or altered copies of most images; only identical images are kept together"
        )
    if duplicates.unseen:
        warnings.append(
            f"{duplicates.unseen:,} pairs of look-alikes were not compared, beyond the nearest of each image: "
            "copies that were changed much may be among them"
        )
    if any(duplicates.late):
        images, pairs = duplicates.late
        which = f"{images:,} images with those behind them" if images else f"{pairs:,} pairs of look-alikes"
        warnings.append(
            f"The time of the audit was up before it had compared {which}: near duplicates among them may lie in "
            "training and test; `tenfold audit` compares all"
        )
    if duplicates.large:
        groups, images = len(duplicates.large), sum(map(len, duplicates.large))
        what = "group of look-alikes has" if groups == 1 else "groups of look-alikes have"
        warnings.append(
            f"{groups:,} {what} more than 50 images, {images:,} in all: a split does not keep them together, so that "
            "images of one series may lie in training and test"
        )
    return warnings


def _conflict_warnings(conflicts: Groups, labels: Sequence[int], names: Sequence[str]) -> list[str]:
    if not conflicts:
        return []
    first = sorted({names[labels[image]] for image in conflicts[0]})
    what = "picture has" if len(conflicts) == 1 else "pictures have"
    return [
        f"{len(conflicts):,} {what} different labels in identical copies, the first {_listed(first)}: "
        "correct the labels or remove the copies"
    ]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(repr(name) for name in names[:SHOWN]) + more
