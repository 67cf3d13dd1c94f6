"""Errors for images without class folders: how to get to labels, or to `tenfold predict`, which needs none."""

__all__ = ["no_class_folders", "no_labels", "unknown_to_model"]

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tenfold.data.listing import beside_folders, images_below, loose_pictures
from tenfold.errors import DataError
from tenfold.text import count, visible

TABLES = (".csv", ".tsv", ".xlsx", ".xls", ".json")
_BEGINNING = re.compile(r"[^\W\d_]+(?:[ _-][^\W\d_]+)*")
_SHOWN = 3
_GROUPS = 50


def no_class_folders(root: Path, predicting: bool) -> DataError:
    """Return the error for a folder without folders. predicting: a model is there, which could label its images."""
    pictures = loose_pictures(root)
    if not pictures:
        return DataError(f"{root}: no folders in it; expected one folder of images for each class")
    if predicting:
        return _to_predict(root, len(pictures), "no class folders")
    return DataError(
        f"{root}: {count(len(pictures), 'image')} but no folders in it; expected one folder of images for each class: "
        f"move every image to {root}/<class>/{_hint(root, pictures)}"
    )


def no_labels(place: Path, part: str, all_flat: bool) -> DataError:
    """Return the error for a part whose images lie in no class folder. all_flat: those of the other parts, too."""
    pictures = loose_pictures(place)
    without = f"{place}: {count(len(pictures), 'image')} without class folders, so the {part} labels are missing"
    if part == "train" or all_flat:
        classes = "; --parts none, if the folders beside it are the classes" if all_flat else ""
        return DataError(f"{without}; sort them into {place.name}/<class>/{_hint(place, pictures)}{classes}")
    return DataError(
        f"{without}; sort them into {place.name}/<class>/, or move the folder away and label its images with "
        "tenfold predict"
    )


def unknown_to_model(place: Path, name: str, classes: Sequence[str]) -> DataError:
    """Return the error for images in a lone folder that is no class: they have no label. classes: those that exist."""
    listed = ", ".join(repr(word) for word in classes[:_SHOWN]) + ", …" * (len(classes) > _SHOWN)
    total = len(images_below(place / name).paths)
    return _to_predict(place / name, total, f"{visible(name)!r} is none of the classes ({listed})")


def _to_predict(place: Path, total: int, why: str) -> DataError:
    return DataError(
        f"{place}: {count(total, 'image')} without labels, since {why}; move them away or into class folders, or label "
        f"them with tenfold predict MODEL {place}"
    )


def _hint(root: Path, pictures: Sequence[Path]) -> str:
    """Point to what may hold the labels: names that begin with a class, or a table beside the images."""
    tables = [entry.path.name for entry in beside_folders(root) if entry.path.suffix.lower() in TABLES]
    if tables:
        return f", by its label in {tables[0]}"
    matches = (_BEGINNING.match(path.stem) for path in pictures)
    groups = Counter(match[0] if match else "" for match in matches)
    if not 2 <= len(groups) <= _GROUPS or "" in groups or min(groups.values()) < 2:
        return ""
    listed = ", ".join(f"{visible(name)} ({n:,})" for name, n in sorted(groups.items())[:_SHOWN])
    more = ", …" if len(groups) > _SHOWN else ""
    return f"; their names begin with {listed}{more}: these may be the classes"
