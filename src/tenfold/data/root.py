"""Where the named data sets lie: `--data-dir`, else `$TENFOLD_DATA`, else torchvision's layout, else the user's cache.

Under the root a data set has a folder of its own with the official files: `mnist/train-images-idx3-ubyte.gz`.
torchvision keeps the same files, packed or not, in `MNIST/raw` and `FashionMNIST/raw`. Folders are matched by their
letters alone: "fashion_mnist" is found in `fashion-mnist` and in `FashionMNIST`, and a new data set needs no line here.
"""

__all__ = ["data_root", "find_file", "own_folder"]

import os
from collections.abc import Iterator
from pathlib import Path

import platformdirs

from tenfold.errors import UsageError

GUESSES = (Path("data"), Path("~/data"))


def data_root(data_dir: str, name: str) -> Path:
    """Root folder for the data set `name`; it need not exist yet where the user named it.

    data_dir: what the user asked for, "" for nothing. Raises UsageError where that is a file.
    """
    for origin, chosen in (("--data-dir", data_dir), ("TENFOLD_DATA", os.environ.get("TENFOLD_DATA", ""))):
        if chosen:
            root = Path(chosen).expanduser()
            if root.exists() and not root.is_dir():
                raise UsageError(f"{origin}: {root} is a file; expected the folder that holds the data sets")
            return root
    for guess in (guess.expanduser() for guess in GUESSES):
        if any(next((folder / "raw").glob("*-ubyte*"), None) for folder in _folders(guess, name)):
            return guess
    return platformdirs.user_cache_path("tenfold", appauthor=False) / "data"


def find_file(root: Path, name: str, file: str) -> Path | None:
    """A file, or folder, of the data set `name`, packed (.gz) or not, where the root has it."""
    for folder in _folders(root, name):
        for place in (folder / file, folder / "raw" / file):
            for candidate in (place, place.with_name(place.name.removesuffix(".gz"))):
                if candidate.exists():
                    return candidate
    return None


def own_folder(root: Path, name: str) -> Path:
    """Folder that files of the data set `name` are downloaded to."""
    return root / name.replace("_", "-")


def _folders(root: Path, name: str) -> Iterator[Path]:
    if root.is_dir():
        yield from sorted(entry for entry in root.iterdir() if _letters(entry.name) == _letters(name))


def _letters(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")
