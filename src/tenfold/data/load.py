"""Load, check and describe the data that a user names: a data set's word, a folder of images, or an .npz file."""

__all__ = ["data_list", "described", "fingerprint", "is_folder", "load", "named", "validate"]

import hashlib
import importlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tenfold import rooms
from tenfold.data.download import data_root, find_file
from tenfold.data.framing import FRAMINGS
from tenfold.data.progress import Watch, unwatched
from tenfold.data.types import Dataset, DataSource, Precedent
from tenfold.errors import DataError, UsageError, nearest

USER_ENTRIES = ("arrays", "folder")  # entries of the room that read the user's own data, at a location
PARTS = ("train", "validation", "test")
SIZE_CAP = 1024
CHUNK = 2**24
NEW = Precedent()
"""Data that nothing was made of yet: all is chosen anew."""

OTHER_FILES = {
    ".csv .tsv .xlsx .xls .json .parquet .txt": "if it lists the label of every image, move each one to "
    "FOLDER/<label>/, then give FOLDER (docs/data.md shows how)",
    ".zip .tar .gz .tgz .bz2 .xz .7z .rar": "unpack it and give the folder of images in it",
    ".npy .mat .h5 .hdf5 .pkl .pickle .pt .pth .arff": "save its arrays with numpy.savez('data.npz', x=images, "
    "y=labels)",
}
"""Endings of files that hold data in another form -> how to get from there to data that can be read."""


def load(
    data: str,
    *,
    data_dir: str = "",
    size: int = 0,
    skip_unreadable: bool = False,
    download: bool = True,
    parts: str = "",
    framing: str = "auto",
    precedent: Precedent = NEW,
    watch: Watch = unwatched,
    scratch: str = "",
) -> Dataset:
    """Load the data set that `data` names: the name of a data set, else a folder of images or an .npz file.

    A name wins over a folder of that name; "./digits" is the folder. data_dir: root of the named sets, "" for the usual
    places. size, skip_unreadable, parts: for folders, see DataSource. framing: how pictures of unequal sides become
    squares, "crop", "squash" or "letterbox"; "auto": crop for photographs, else squash. download: fetch a named set
    that is absent. precedent: how a run or a model read its data; the data may then lack classes and have no training
    part.
    watch: called with the progress of reading a folder. scratch: see DataSource.
    Raises UsageError for an unknown word or an option that does not apply, DataError for data that cannot be used.
    """
    if not 0 <= size <= SIZE_CAP:
        raise UsageError(f"size {size}: expected a side in pixels from 1 to {SIZE_CAP}, or 0 for the images' own")
    if framing not in ("auto", *FRAMINGS):
        raise UsageError(f"no fit {framing!r}: {nearest(framing, ('auto', *FRAMINGS))}")
    if is_folder(data):
        precedent = precedent._replace(framing=precedent.framing or framing)
        source = DataSource(
            data, Path(), size, skip_unreadable, parts=parts, precedent=precedent, watch=watch, scratch=scratch
        )
        return validate(rooms.find("datasets", "folder")(source), whole=not precedent.classes)
    asked = framing in ("crop", "letterbox")
    for option, value in (("size", size), ("skip_unreadable", skip_unreadable), ("parts", parts), ("fit", asked)):
        if value and (data in named() or _is_npz(data)):
            raise UsageError(f"{option} is for folders of images; {data} is not one: leave it out")
    if data in named():
        source = DataSource("", data_root(data_dir, data), download=download)
        return validate(rooms.find("datasets", data)(source))
    if _is_npz(data):
        source = DataSource(str(Path(data).expanduser()), Path(), precedent=precedent)
        return validate(rooms.find("datasets", "arrays")(source), whole=not precedent.classes)
    raise _no_data(data)


def named() -> tuple[str, ...]:
    """Return the words that name a data set; they win over a folder of that name."""
    return tuple(word for word in rooms.names("datasets") if word not in USER_ENTRIES)


def is_folder(data: str) -> bool:
    """Test whether `data` means a folder of images."""
    return bool(data) and data not in named() and Path(data).expanduser().is_dir()


def _is_npz(data: str) -> bool:
    return data not in named() and Path(data).suffix.lower() == ".npz"


def _no_data(data: str) -> UsageError:
    """Say what a word is that names no data, and how to get from there to data."""
    path = Path(data).expanduser()
    if not data or not path.exists():
        return UsageError(f"{data!r} is neither a data set nor a folder that exists; {nearest(data, named())}")
    what = next((what for endings, what in OTHER_FILES.items() if path.suffix.lower() in endings.split()), "")
    if path.suffix.lower() in importlib.import_module("tenfold.data.listing").ENDINGS:
        what = (
            "one image: a model is trained on folders of images, and `tenfold predict MODEL IMAGE` says what it shows"
        )
    return UsageError(
        f"{data}: neither a folder of images nor an .npz file; {what or 'give one of these, or the name of a data set'}"
    )


def validate(dataset: Dataset, whole: bool = True) -> Dataset:
    """Return the data set itself after checking that it contradicts itself nowhere.

    whole: it is to be trained on, so that every class has training images.
    Raises DataError that names it: shapes and types, labels out of range, fewer than two classes, a class without
    images (in all, or in the training part), parts that overlap or leave the data set.
    """
    name, images, labels = dataset.name, dataset.images, dataset.labels
    if images.ndim != 4 or images.dtype not in (torch.uint8, torch.float32) or not images.is_contiguous():
        what = f"{images.dtype} {tuple(images.shape)}"
        raise DataError(f"{name}: images are {what}; expected contiguous (N, C, H, W) bytes or float32")
    if labels.shape != images.shape[:1] or labels.dtype != torch.int64:
        raise DataError(f"{name}: {len(images):,} images, but {len(labels):,} labels")
    if dataset.paths and len(dataset.paths) != len(images):
        raise DataError(f"{name}: {len(images):,} images, but {len(dataset.paths):,} paths")
    if images.numel() == 0:
        raise DataError(f"{name}: no images")
    _check_classes(dataset)
    _check_parts(dataset, whole)
    if whole:
        _check_none_empty(dataset, dataset.labels, "no images")
        _check_none_empty(dataset, dataset.labels[dataset.parts.get("train", slice(None))], "no training images")
    return dataset


def _check_classes(dataset: Dataset) -> None:
    name, names = dataset.name, dataset.class_names
    if len(names) < 2:
        raise DataError(f"{name}: {len(names)} class; a classifier needs at least two")
    if len(set(names)) != len(names):
        raise DataError(f"{name}: two classes have the same name")
    least, most = int(dataset.labels.min()), int(dataset.labels.max())
    if least < 0 or most >= len(names):
        wrong = least if least < 0 else most
        raise DataError(f"{name}: a label is {wrong}, but {len(names)} classes have the labels 0 to {len(names) - 1}")


def _check_none_empty(dataset: Dataset, labels: Tensor, lacks: str) -> None:
    empty = torch.bincount(labels, minlength=len(dataset.class_names)).eq(0).nonzero().flatten().tolist()
    if empty:
        raise DataError(f"{dataset.name}: class {dataset.class_names[empty[0]]!r} has {lacks}")


def _check_parts(dataset: Dataset, whole: bool) -> None:
    name, parts, count = dataset.name, dataset.parts, len(dataset.images)
    if not parts:
        return
    if (whole and "train" not in parts) or not parts.keys() <= set(PARTS):
        raise DataError(f"{name}: has the parts {', '.join(parts)}; expected train, and validation or test beside it")
    for part, positions in parts.items():
        if positions.dtype != torch.int64 or positions.ndim != 1 or not len(positions):
            raise DataError(f"{name}: the {part} part has no images")
        if int(positions.min()) < 0 or int(positions.max()) >= count:
            raise DataError(f"{name}: the {part} part points outside of the {count:,} images")
    # Together: an image twice in one part is as wrong as one in two of them.
    if int(torch.bincount(torch.cat(list(parts.values())), minlength=count).max()) > 1:
        raise DataError(f"{name}: an image is in two parts; they must be disjoint")


def fingerprint(dataset: Dataset) -> str:
    """Return the SHA-256, in hexadecimal, of what a model can learn from: pixels, scale, labels, class names, parts.

    The same on every machine and in every process; name, paths and notes do not count.
    """
    digest = hashlib.sha256()
    tensors = {"images": dataset.images, "labels": dataset.labels}
    tensors |= {f"part {part}": dataset.parts[part] for part in PARTS if part in dataset.parts}
    for word, tensor in tensors.items():
        digest.update(f"{word} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        flat = tensor.contiguous().reshape(-1).view(torch.uint8).numpy()
        for start in range(0, len(flat), CHUNK):
            digest.update(flat[start : start + CHUNK].data)
    digest.update(f"scale {dataset.scale!r}\n".encode())
    digest.update(repr(dataset.class_names).encode("utf-8", "backslashreplace"))
    return digest.hexdigest()


def data_list(data_dir: str) -> list[dict[str, Any]]:
    """List name and place of every named data set; "" is still to be downloaded, "bundled" needs no file."""
    return [{"name": name, "place": _place(name, data_root(data_dir, name))} for name in named()]


def described(dataset: Dataset) -> dict[str, Any]:
    """Describe a data set: counts, shape, parts, classes, fingerprint."""
    counts = torch.bincount(dataset.labels, minlength=len(dataset.class_names)).tolist()
    return {
        "data": dataset.name,
        "images": len(dataset.labels),
        "shape": list(dataset.images.shape[1:]),
        "unequal": dataset.reading.unequal if dataset.reading else 0,
        "framing": dataset.framing,
        "type": str(dataset.images.dtype).removeprefix("torch."),
        "parts": {name: len(rows) for name, rows in dataset.parts.items()},
        "classes": [{"class": name, "n": n} for name, n in zip(dataset.class_names, counts, strict=True)],
        "fingerprint": fingerprint(dataset),
        "notes": list(dataset.notes),
    }


def _place(name: str, root: Path) -> str:
    if name == "digits":
        return "bundled"
    first = {"cifar10": ("cifar-10-binary.tar.gz", "cifar-10-batches-bin")}.get(name, ("train-images-idx3-ubyte.gz",))
    place = next((path for file in first if (path := find_file(root, name, file))), None)
    return str(place.parent) if place else ""
