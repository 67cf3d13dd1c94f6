"""Formats of image files that are read, by content: a closed list, since every decoder is open to attack.

AVIF is among them where Pillow was built with it, HEIC where pillow-heif is installed (the extra `heic`). A camera's
raw file is none: it is a TIFF whose first image is a small preview.
"""

__all__ = ["FORMATS", "RAW", "opened"]

import importlib
import io
from pathlib import Path

from PIL import Image, ImageFile, UnidentifiedImageError, features

from tenfold.data.pngchunks import without_metadata

FORMATS = (
    *("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM"),
    *(["AVIF"] if features.check("avif") else []),
)
_CAMERAS = "3fr arw cr2 cr3 crw dng erf kdc mrw nef nrw orf pef raf raw rw2 rwl sr2 srf srw x3f"
RAW = frozenset(f".{word}" for word in _CAMERAS.split())
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")


def opened(source: Path | bytes) -> ImageFile.ImageFile:
    """Open an image file, reading its header. Raises ValueError with the remedy for one that needs another reader."""
    if isinstance(source, Path) and source.suffix.lower() in RAW:
        raise ValueError("a camera's raw file; export it as PNG or JPEG")
    plain = without_metadata(source)
    try:
        return Image.open(plain, formats=FORMATS)
    except UnidentifiedImageError:
        if not _is_heic(plain):
            raise
    try:
        importlib.import_module("pillow_heif").register_heif_opener()
    except ImportError:
        raise ValueError("HEIC; pip install 'tenfold[heic]' to read it, or save it as JPEG") from None
    return Image.open(plain, formats=("HEIF",))


def _is_heic(source: Path | io.BytesIO) -> bool:
    if isinstance(source, Path):
        with source.open("rb") as file:
            start = file.read(12)
    else:
        source.seek(0)
        start = source.read(12)
        source.seek(0)
    return start[4:8] == b"ftyp" and start[8:12] in _HEIC
