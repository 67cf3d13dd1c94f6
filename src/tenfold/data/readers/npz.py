"""Images and labels in an .npz file, by the names of its arrays."""

__all__ = ["Stored", "npz"]

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.data.archive import CHUNK, arrays_in
from tenfold.data.arraynames import KEYS, array_name, by_position, is_beside, is_one_hot, positional
from tenfold.errors import DataError, nearest
from tenfold.text import visible


class Stored(NamedTuple):
    """Arrays of a file by their names in KEYS, the names that the file gives them, and what is to be said of that."""

    arrays: dict[str, NDArray[Any]]
    names: dict[str, str]
    notes: tuple[str, ...]


def npz(path: Path) -> Stored:
    """Read arrays by their names: `x, y`, or `x_train, y_train[, x_validation, y_validation][, x_test, y_test]`.

    Other names that mean the same are read as these, see `tenfold.data.arraynames`. x: (N, D), (N, H, W), (N, H, W, C)
    or (N, C, H, W) of numbers, finite. y: (N,), from any shape of N labels or from (N, C) one-hot rows in the file, of
    integers (as floats, too) or strings. Raises DataError that names the file, the array and the position of the fault.
    """
    beside: list[str] = []

    def choose(names: Sequence[str]) -> list[str]:
        beside.extend(filter(is_beside, names))
        return _chosen(path, names)

    content = arrays_in(path, choose)
    names = _names(path, content)
    arrays = {key: content.pop(name) for key, name in names.items()}
    _check_keys(path, names)
    one_hot = _unfolded(path, arrays, names)
    for x in [name for name in arrays if name.startswith("x")]:
        y = "y" + x[1:]
        _check_pair(path, arrays, names, x, y)
        arrays[y] = _text(f"{path}: array {names[y]!r}", arrays[y].ravel())
    return Stored(arrays, names, _notes(names, one_hot, [*beside, *content]))


def _chosen(path: Path, names: Sequence[str]) -> list[str]:
    """Choose the arrays that may be images or labels; those beside them, as ids are, stay unread."""
    unnamed, chosen = positional(names), [name for name in names if not is_beside(name)]
    for name in chosen:
        if not unnamed and not array_name(name):
            raise DataError(f"{path}: unknown array {name!r}: {nearest(name, KEYS)}")
    return chosen


def _unfolded(path: Path, arrays: dict[str, NDArray[Any]], names: Mapping[str, str]) -> list[str]:
    """Replace one-hot rows by the numbers of their columns; return what these arrays are called, and their columns."""
    widths = {y: arrays[y].shape[1] for y in arrays if y[0] == "y" and is_one_hot(arrays[y])}
    widths = {y: width for y, width in widths.items() if len(arrays[y]) == len(arrays["x" + y[1:]])}
    said = [f"{names[y]} ({width} columns)" for y, width in widths.items()]
    if len(set(widths.values())) > 1:
        raise DataError(f"{path}: one-hot labels differ in width: {', '.join(said)}; give each part all classes")
    for y in widths:
        arrays[y] = arrays[y].argmax(axis=1)
    return said


def _notes(names: Mapping[str, str], one_hot: Sequence[str], not_read: Sequence[str]) -> tuple[str, ...]:
    """Say which array was read as what, where the names alone do not."""
    other = [f"{name} as {key}" for key, name in names.items() if name != key]
    said = (("read", other), ("one-hot labels read as numbers of columns:", one_hot), ("not read:", not_read))
    return tuple(f"{word} {', '.join(map(visible, listed))}" for word, listed in said if listed)


def _names(path: Path, arrays: Mapping[str, NDArray[Any]]) -> dict[str, str]:
    """Return the name in the file of every array by its name in KEYS."""
    if positional(list(arrays)):
        names = {key: name for name, key in by_position(arrays).items()}
        if not names:
            shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
            raise DataError(
                f"{path}: holds {shapes}; expected images and as many labels, or save them by name: x=…, y=…"
            )
        return names
    names = {}
    for name in sorted(arrays, key=lambda name: (name not in KEYS, -arrays[name].ndim)):
        key = array_name(name)
        if key not in names:
            names[key] = name
        elif not _is_other_form(arrays[name], arrays[names[key]]):
            raise DataError(f"{path}: both {names[key]!r} and {name!r} could be {key}; keep one of them")
    return dict(sorted(names.items(), key=lambda item: KEYS.index(item[0])))


def _is_other_form(array: NDArray[Any], chosen: NDArray[Any]) -> bool:
    """Test whether an array may be the rows of the same images, as scikit-learn keeps both."""
    return array.ndim == 2 < chosen.ndim and array.shape == (len(chosen), math.prod(chosen.shape[1:]))


def _text(where: str, labels: NDArray[Any]) -> NDArray[Any]:
    """Return labels, strings in the form that numpy calls U: what is no character must not reach Python."""
    if labels.dtype.kind == "S":
        return np.char.decode(labels, "utf-8", "backslashreplace")
    if labels.dtype.kind == "U":
        codes = labels.view(np.uint32)
        if (codes > 0x10FFFF).any() or ((codes >= 0xD800) & (codes < 0xE000)).any():
            raise DataError(f"{where} holds strings with invalid characters")
    return labels


def _check_keys(path: Path, names: Mapping[str, str]) -> None:
    """Refuse all but the two layouts, each x with its y. names: name in KEYS -> name in the file."""
    whole = names.keys() & {"x", "y"}
    if whole and len(names) > len(whole):
        pair = "'x' or 'y'" if whole <= set(names.values()) else " or ".join(repr(names[key]) for key in sorted(whole))
        raise DataError(f"{path}: holds both {pair} and arrays of parts; keep one of the two layouts")
    pairs = [*(whole and ("x", "y")), *(("y" if key[0] == "x" else "x") + key[1:] for key in names)]
    held = ", ".join(sorted(names.values())) or "nothing"
    if not names:
        raise DataError(f"{path}: array 'x' is missing; the file holds {held}")
    if missing := [key for key in pairs if key not in names]:
        raise DataError(f"{path}: array {missing[0]!r} is missing; the file holds {held}{_remedy(missing[0], names)}")


def _remedy(missing: str, names: Mapping[str, str]) -> str:
    """Return the remedy for labels that are missing of images that are there."""
    images = names.get("x" + missing[1:])
    if missing[0] == "x" or not images:
        return ""
    leave = f", or leave {images!r} out" if missing in ("y_validation", "y_test") else ""
    return f"; add a label for each image of {images!r}{leave}"


def _check_pair(path: Path, arrays: Mapping[str, NDArray[Any]], names: Mapping[str, str], x: str, y: str) -> None:
    values, labels = arrays[x], arrays[y]
    if values.dtype.kind not in "biuf" or not 2 <= values.ndim <= 4:
        what = f"array {names[x]!r} is {values.dtype} {values.shape}"
        raise DataError(f"{path}: {what}; expected 2 to 4 dimensions of numbers")
    if labels.ndim != 1 and labels.size != len(values):
        raise DataError(
            f"{path}: array {names[y]!r} has the shape {labels.shape}; expected one label per image, ({len(values)},), "
            "or one-hot rows"
        )
    if len(values) != labels.size:
        last = (
            f"; its last dimension fits: numpy.moveaxis({names[x]}, -1, 0)" if values.shape[-1] == labels.size else ""
        )
        raise DataError(
            f"{path}: {names[x]!r} has {len(values):,} images, {names[y]!r} has {labels.size:,} labels; give one label "
            f"for each image{last}"
        )
    _check_finite(path, names[x], values)
    _check_finite(path, names[y], labels)
    if labels.dtype.kind == "f" and (bad := np.flatnonzero(labels.ravel() % 1)).size:
        value = labels.ravel()[bad[0]]
        raise DataError(
            f"{path}: array {names[y]!r} holds {value} at position {bad[0]}; a label is a whole number or a string"
        )


def _check_finite(path: Path, name: str, values: NDArray[Any]) -> None:
    """Check in slices: a mask as large as the array would double its memory."""
    if values.dtype.kind != "f":
        return
    step = max(1, CHUNK // max(1, math.prod(values.shape[1:])))
    for start in range(0, len(values), step):
        finite = np.isfinite(values[start : start + step])
        if not finite.all():
            first = np.argwhere(~finite)[0]
            place = (int(first[0]) + start, *(int(k) for k in first[1:]))
            raise DataError(f"{path}: array {name!r} holds {values[place]} at position {place}; remove or replace it")
