"""What `tenfold data` says of data sets."""

__all__ = ["data_info", "data_list"]

from pathlib import Path
from typing import Any

import torch

from tenfold.data.load import fingerprint, load, named
from tenfold.data.root import data_root, find_file


def data_list(data_dir: str) -> list[dict[str, Any]]:
    """Name and place of every named data set: "" where it would be downloaded, "bundled" where nothing is needed."""
    return [{"name": name, "place": _place(name, data_root(data_dir, name))} for name in named()]


def data_info(data: str, size: int, skip_unreadable: bool, data_dir: str) -> dict[str, Any]:
    """Counts, shape, parts, classes and fingerprint of a data set, which is loaded (and fetched) for it."""
    dataset = load(data, data_dir=data_dir, size=size, skip_unreadable=skip_unreadable)
    counts = torch.bincount(dataset.labels, minlength=len(dataset.class_names)).tolist()
    return {
        "data": dataset.name,
        "images": len(dataset.labels),
        "shape": list(dataset.images.shape[1:]),
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
    found = next((path for file in first if (path := find_file(root, name, file))), None)
    return str(found.parent) if found else ""
