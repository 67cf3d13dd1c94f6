"""What the audit of a data set found, with the images that it speaks of, side by side."""

__all__ = ["Finding", "Findings", "Seen", "findings"]

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.report.pictures import Album, Picture
from tenfold.report.wording import count, label, number, shown

# Images shown of one group, and lines of a list.
IMAGES, LINES = 6, 20
KINDS = {
    "conflicts": (
        "One picture, several labels",
        "Identical images whose labels differ: at least one of them is wrong.",
    ),
    "near": ("Near duplicates", "One picture that was resized, cropped, mirrored, recolored or saved again."),
    "exact": ("Exact duplicates", "The same pixels more than once."),
    "large": ("Large groups", "Pictures with so many copies that a split does not keep them together."),
}


class Seen(NamedTuple):
    """An image of a finding: where it lies and what it is labeled, as far as that is known."""

    picture: Picture
    part: str
    name: str
    alt: str


class Finding(NamedTuple):
    """groups: some of what was found, each the first of its images; total: groups in all; sizes: images of each."""

    title: str
    told: str
    groups: list[list[Seen]]
    sizes: list[int]
    total: int


class Findings(NamedTuple):
    """facts: numbers by name. lists: titles, and name and count of each line, more: lines left out."""

    facts: list[tuple[str, str]]
    warnings: list[str]
    found: list[Finding]
    lists: list[tuple[str, list[tuple[str, str]], int]]


class _View(NamedTuple):
    """How findings are told: pictures, the part of every image, names of the classes, groups shown of each kind."""

    images: Album
    places: dict[int, str]
    names: Sequence[str]
    groups: int


def findings(audit: Mapping[str, Any], images: Album, split: Mapping[str, NDArray[np.int64]], most: int) -> Findings:
    """What is worth a look in audit.json. split: part -> positions of its images. most: groups shown of each kind."""
    places = {int(position): part for part, rows in split.items() for position in rows}
    view = _View(images, places, audit.get("class_names") or (), most)
    twins = [_twins(view, part, pairs) for part, pairs in (audit.get("twins") or {}).items() if pairs]
    groups = [_groups(view, kind, audit[kind]) for kind in KINDS if audit.get(kind)]
    return Findings(
        _facts(audit),
        [label(str(told), 600) for told in audit.get("warnings") or ()],
        twins + groups,
        _lists(audit, images),
    )


def _facts(audit: Mapping[str, Any]) -> list[tuple[str, str]]:
    shape = audit.get("shape") or []
    sizes = " × ".join(map(str, (*shape[1:], shape[0]))) if len(shape) == 3 else ""
    facts = [("Images", count(audit.get("images"))), ("Size", sizes), ("Numbers", label(str(audit.get("type") or "–")))]
    facts.append(("Largest class over smallest", number(audit.get("imbalance"), ".3g")))
    kinds = {"exact": "Exact duplicates", "near": "Near duplicates", "conflicts": "Conflicting labels"}
    unknown = {"near"} if audit.get("near_searched") is False else set()
    found = {kind: count(len(audit[kind]), "group") for kind in kinds if kind in audit}
    facts += [(kinds[kind], "not searched for" if kind in unknown else told) for kind, told in found.items()]
    facts += [(f"Twins of {part} images", count(len(pairs))) for part, pairs in (audit.get("twins") or {}).items()]
    if audit.get("unreadable"):
        facts.append(("Unreadable files", count(len(audit["unreadable"]))))
    return [(name, value) for name, value in facts if value]


def _twins(view: _View, part: str, pairs: Sequence[Sequence[int]]) -> Finding:
    title = f"{part.capitalize()} images with a twin in training"
    told = f"{count(len(pairs), 'image')} of the {part} part: their score is partly memory."
    groups = [[_seen(view, position) for position in pair] for pair in pairs[: view.groups]]
    return Finding(title, told, groups, [2] * len(groups), len(pairs))


def _groups(view: _View, kind: str, groups: Sequence[Sequence[int]]) -> Finding:
    title, told = KINDS[kind]
    some = [[_seen(view, position) for position in group[:IMAGES]] for group in groups[: view.groups]]
    images = count(sum(map(len, groups)), "image")
    told = f"{told} {count(len(groups), 'group')} with {images} in all."
    return Finding(title, told, some, [len(group) for group in groups[: view.groups]], len(groups))


def _seen(view: _View, position: int) -> Seen:
    dataset = view.images.dataset
    known = dataset is not None and position < len(dataset.labels)
    name = label(view.names[int(dataset.labels[position])], 40) if dataset is not None and known and view.names else ""
    part = view.places.get(position, "not used" if view.places else "")
    told = ", ".join(filter(None, (f"image {position}", name, part)))
    return Seen(view.images.picture(position), part, name, told)


def _lists(audit: Mapping[str, Any], images: Album) -> list[tuple[str, list[tuple[str, str]], int]]:
    found = []
    for key, title in (("sizes", "Sizes of the files"), ("modes", "Formats of the files")):
        ranked = sorted((audit.get(key) or {}).items(), key=lambda item: (-item[1], item[0]))
        lines = [(label(str(name)), count(n)) for name, n in ranked[:LINES]]
        found.append((title, lines, max(0, len(ranked) - LINES)))
    broken = [] if images.private else audit.get("unreadable") or []
    found.append(("Unreadable files", [(shown(str(line)), "") for line in broken[:LINES]], max(0, len(broken) - LINES)))
    return [(title, lines, more) for title, lines, more in found if lines]
