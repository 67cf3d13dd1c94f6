"""All bits of a picture with 16 for each value, which Pillow keeps of grey ones alone.

Of 16-bit color Pillow's unpackers take the upper byte: "RGB;16B" the first of each two, "RGB;16L" the second. So the
picture is decoded twice, once by the unpacker of the other byte order, which yields the lower bytes. Grey with alpha is
unpacked as if it were RGBA, four bytes: grey, upper and lower, alpha, upper and lower. A PPM is read as it lies there.
"""

__all__ = ["deep_values", "is_deep", "rawmode"]

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

_GREY_ALPHA = "LA;16B"
_COLOR = tuple(f"{word};16{order}" for word in ("RGB", "RGBA", "RGBX") for order in "BLN")
_OTHER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}


def is_deep(image: ImageFile.ImageFile) -> bool:
    """Test whether an image that was opened holds more than 8 bits for each value, all of which can be read."""
    return image.mode == "I" or image.mode.startswith("I;16") or rawmode(image) in (*_COLOR, _GREY_ALPHA) or _ppm(image)


def rawmode(image: Image.Image) -> str:
    """Return Pillow's word for the layout of the stored bytes, "" where it has none."""
    tiles = getattr(image, "tile", None)
    args = tiles[0].args if tiles else ""
    return str(args[0]) if isinstance(args, tuple) and args else str(args)


def deep_values(image: ImageFile.ImageFile, again: Callable[[], ImageFile.ImageFile]) -> NDArray[Any]:
    """Return the values (H, W) or (H, W, channels) of a deep image that was opened and not loaded.

    again: opens the same image once more.
    """
    word = rawmode(image)
    if _ppm(image):
        return _ppm_values(image)
    if word == _GREY_ALPHA:
        _unpack_as(image, "RGBA")
        return np.array(image.convert("RGBA")).view(">u2").astype(np.uint16)
    if word not in _COLOR:
        return np.asarray(image)
    values = np.array(image).astype(np.uint16) << 8
    with again() as lower:
        _unpack_as(lower, word[:-1] + _OTHER[word[-1]])
        values |= np.asarray(lower)
    return values


def _unpack_as(image: ImageFile.ImageFile, word: str) -> None:
    image.tile = [
        tile._replace(args=(word, *tile.args[1:]) if isinstance(tile.args, tuple) else word) for tile in image.tile
    ]


def _ppm(image: ImageFile.ImageFile) -> bool:
    """Test for binary PGM or PPM with 2 bytes for each value."""
    if image.format != "PPM" or not image.tile or image.tile[0].codec_name != "ppm":
        return False
    args = image.tile[0].args
    return isinstance(args, tuple) and int(args[-1]) > 255


def _ppm_values(image: ImageFile.ImageFile) -> NDArray[Any]:
    channels = len(image.getbands())
    count = image.width * image.height * channels
    content = b""
    if image.fp:
        image.fp.seek(image.tile[0].offset)
        content = image.fp.read(2 * count)
    if len(content) < 2 * count:
        raise ValueError("it is cut short")
    shape = (image.height, image.width, channels)[: 2 if channels == 1 else 3]
    return np.frombuffer(content, ">u2").astype(np.uint16).reshape(shape)
