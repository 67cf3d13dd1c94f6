"""Findings of the audit of a data set, with the images that they concern side by side."""

__all__ = ["AuditFinding", "Findings", "SampleImage", "findings"]

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.report.pictures import Album, Picture
from tenfold.text import FRAMED, count, label, number, visible

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


class SampleImage(NamedTuple):
    """Image of a finding: its part of the split, its class and its text alternative, "" where unknown."""

    picture: Picture
    part: str
    name: str
    alt: str


class AuditFinding(NamedTuple):
    """Groups of images with one problem. groups: some of them, the first images of each; sizes: images in each.

    total: number of groups in all.
    """

    title: str
    about: str
    groups: list[list[SampleImage]]
    sizes: list[int]
    total: int


class Findings(NamedTuple):
    """Content of an audit's page. facts: numbers by name.

    lists: of each a title, name and count of every line, and how many lines are left out.
    """

    facts: list[tuple[str, str]]
    warnings: list[str]
    problems: list[AuditFinding]
    lists: list[tuple[str, list[tuple[str, str]], int]]


class _View(NamedTuple):
    """Lookups for showing findings: pictures, part of every image, class names, groups to show of each kind."""

    images: Album
    places: dict[int, str]
    names: Sequence[str]
    groups: int


def findings(audit: Mapping[str, Any], images: Album, split: Mapping[str, NDArray[np.int64]], most: int) -> Findings:
    """Select from audit.json. split: part -> positions of its images. most: groups to show of each kind."""
    places = {int(position): part for part, rows in split.items() for position in rows}
    view = _View(images, places, audit.get("class_names") or (), most)
    twins = [_twins(view, part, pairs) for part, pairs in (audit.get("twins") or {}).items() if pairs]
    groups = [_groups(view, kind, audit[kind]) for kind in KINDS if audit.get(kind)]
    return Findings(
        _facts(audit),
        [label(str(warning), 600) for warning in audit.get("warnings") or ()],
        twins + groups,
        _lists(audit, images),
    )


def _facts(audit: Mapping[str, Any]) -> list[tuple[str, str]]:
    shape = audit.get("shape") or []
    sizes = " × ".join(map(str, (*shape[1:], shape[0]))) if len(shape) == 3 else ""
    others = f"{count(audit.get('unequal'))} {FRAMED.get(audit.get('framing', ''), '')}" if audit.get("unequal") else ""
    facts = [
        ("Images", count(audit.get("images"))),
        ("Size", sizes),
        ("Unequal sides", others),
        ("Numbers", label(str(audit.get("type") or "–"))),
        ("Largest class over smallest", number(audit.get("imbalance"), ".3g")),
    ]
    kinds = {"exact": "Exact duplicates", "near": "Near duplicates", "conflicts": "Conflicting labels"}
    skipped = {"near"} if audit.get("near_searched") is False else set()
    groups = {kind: count(len(audit[kind]), "group") for kind in kinds if kind in audit}
    facts += [(kinds[kind], "not searched for" if kind in skipped else n) for kind, n in groups.items()]
    facts += [(f"Twins of {part} images", count(len(pairs))) for part, pairs in (audit.get("twins") or {}).items()]
    if audit.get("unreadable"):
        facts.append(("Unreadable files", count(len(audit["unreadable"]))))
    return [(name, value) for name, value in facts if value]


def _twins(view: _View, part: str, pairs: Sequence[Sequence[int]]) -> AuditFinding:
    title = f"{part.capitalize()} images with a twin in training"
    about = f"{count(len(pairs), 'image')} of the {part} part: their score is partly memory."
    groups = [[_sample(view, position) for position in pair] for pair in pairs[: view.groups]]
    return AuditFinding(title, about, groups, [2] * len(groups), len(pairs))


def _groups(view: _View, kind: str, groups: Sequence[Sequence[int]]) -> AuditFinding:
    title, about = KINDS[kind]
    some = [[_sample(view, position) for position in group[:IMAGES]] for group in groups[: view.groups]]
    images = count(sum(map(len, groups)), "image")
    about = f"{about} {count(len(groups), 'group')} with {images} in all."
    return AuditFinding(title, about, some, [len(group) for group in groups[: view.groups]], len(groups))


def _sample(view: _View, position: int) -> SampleImage:
    dataset = view.images.dataset
    labels = dataset.labels[:] if dataset is not None and view.names else ()
    name = label(view.names[int(labels[position])], 40) if position < len(labels) else ""
    part = view.places.get(position, "not used" if view.places else "")
    alternative = ", ".join(filter(None, (f"image {position}", name, part)))
    return SampleImage(view.images.picture(position), part, name, alternative)


def _lists(audit: Mapping[str, Any], images: Album) -> list[tuple[str, list[tuple[str, str]], int]]:
    lists = []
    for key, title in (("sizes", "Sizes of the files"), ("modes", "Formats of the files")):
        ranked = sorted((audit.get(key) or {}).items(), key=lambda item: (-item[1], item[0]))
        lines = [(label(str(name)), count(n)) for name, n in ranked[:LINES]]
        lists.append((title, lines, max(0, len(ranked) - LINES)))
    broken = [] if images.private else audit.get("unreadable") or []
    lists.append(
        ("Unreadable files", [(visible(str(line)), "") for line in broken[:LINES]], max(0, len(broken) - LINES))
    )
    return [(title, lines, more) for title, lines, more in lists if lines]
