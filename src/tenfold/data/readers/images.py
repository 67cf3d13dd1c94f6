"""An image file to unsigned bytes, grey or RGB, through Pillow, with its size checked before a pixel is decoded.

Formats are a closed list (`tenfold.data.pictureformats`), recognized by content. What is not plain grey or RGB is
converted, and said so: EXIF orientation is applied, transparency is laid on a color, the first frame stands for an
animation, 16-bit pixels keep their upper byte (Pillow's own conversion would clip them), palettes and CMYK become RGB.
RGB to grey is ITU-R 601: 0.299 R + 0.587 G + 0.114 B. Resizing is bilinear with the support widened when it shrinks
(anti-aliased), to a square whatever the sides.
"""

__all__ = ["ImageFile", "images"]

import io
import threading
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from tenfold.data.pictureformats import FORMATS, opened
from tenfold.errors import DataError, TenfoldError

PIXELS_CAP = 80_000_000  # below Pillow's own limit, which a program may have lifted
# A decoded image may take this much, and RATIO times its file: a small file that claims a huge picture is refused.
DECODED_BYTES = 32 * 2**20
RATIO = 16
GREY = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N"})
PLAIN = ("L", "RGB")
_WARNINGS = threading.Lock()


class ImageFile(NamedTuple):
    """An image whose header was read: what it claims to be, and where its pixels are.

    width, height: as stored, before EXIF orientation. kind: format and Pillow's mode, such as "JPEG RGB".
    transparent: some pixels may be.
    """

    source: Path | bytes
    width: int
    height: int
    grey: bool
    kind: str
    transparent: bool = False

    def opacity(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Decode grey values and opacities, each (height, width) or empty where that cannot be done."""
        try:
            with opened(_stream(self.source)) as image:
                _check_size(image, self.source)
                grey, opacity = image.convert("RGBA").convert("LA").split()
        except TenfoldError:
            raise
        except Exception:  # as in `pixels`, which reports it
            return np.zeros((0, 0), np.uint8), np.zeros((0, 0), np.uint8)
        return np.asarray(grey), np.asarray(opacity)

    def pixels(self, mode: str, side: int, background: str = "white") -> tuple[NDArray[np.uint8], tuple[str, ...]]:
        """Decode pixels (C, side, side), C = 1 for mode "L" and 3 for "RGB"; name the conversions that it took.

        side 0 keeps height and width. background: color under what is transparent. Raises DataError that names the
        file where the pixels cannot be decoded.
        """
        try:
            with opened(_stream(self.source)) as image:
                _check_size(image, self.source)
                if side:  # a JPEG is decoded at 1/2, 1/4 or 1/8 where that is enough
                    image.draft(None, (2 * side, 2 * side))
                upright, changes = _upright(image, background)
        except TenfoldError:  # a signal, too, which is no fault of the file
            raise
        except Exception as error:  # a decoder of foreign bytes raises whatever its formats' authors thought of
            raise DataError(f"{_name(self.source)}: cannot be decoded ({_reason(error)})") from error
        if upright.mode != mode:
            changes.append("grey to RGB" if mode == "RGB" else "RGB to grey")
        target = (side, side) if side else upright.size
        if (self.width, self.height) not in (target, target[::-1]):
            changes.append("resized")
        array = np.asarray(upright.convert(mode).resize(target, Image.Resampling.BILINEAR))
        channels = array[None] if mode == "L" else array.transpose(2, 0, 1)
        return np.ascontiguousarray(channels), tuple(changes)


def images(source: Path | bytes) -> ImageFile:
    """Read the header of one image file, or of its bytes; `.pixels(mode, side)` then decodes it.

    Raises DataError that names the file: absent, of no known format, more pixels than the cap or than its size allows.
    """
    try:
        # Pillow warns of a decompression bomb where this module refuses; filters are global, hence the lock.
        with _WARNINGS, warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with opened(_stream(source)) as image:
                _check_size(image, source)
                kind = f"{image.format} {image.mode}"
                return ImageFile(source, image.width, image.height, _is_grey(image), kind, image.has_transparency_data)
    except TenfoldError:
        raise
    except Exception as error:  # as above
        raise DataError(f"{_name(source)}: not a readable image ({_reason(error)})") from error


def _stream(source: Path | bytes) -> Path | io.BytesIO:
    return source if isinstance(source, Path) else io.BytesIO(source)


def _name(source: Path | bytes) -> str:
    return str(source) if isinstance(source, Path) else "the image"


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return f"its content is none of {', '.join(FORMATS)}; save it as PNG or JPEG"
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return "it claims more pixels than the limit"
    return " ".join(str(getattr(error, "strerror", None) or error or type(error).__name__).split())


def _check_size(image: Image.Image, source: Path | bytes) -> None:
    pixels = image.width * image.height
    size = source.stat().st_size if isinstance(source, Path) else len(source)
    width = 1 if image.mode in ("1", "L") else 4  # bytes of a pixel in Pillow's memory
    if pixels > PIXELS_CAP or pixels * width > DECODED_BYTES + RATIO * size:
        claim = f"claims {image.width} × {image.height} pixels in {size:,} bytes"
        raise DataError(f"{_name(source)}: {claim}, more than the limit; save it smaller")


def _is_grey(image: Image.Image) -> bool:
    """Judge by the mode, or by the palette: GIF has no other way to be grey."""
    if image.mode != "P":
        return image.mode in GREY
    palette = np.array(image.getpalette("RGB") or [0, 0, 1]).reshape(-1, 3)
    return bool((palette == palette[:, :1]).all())


def _upright(image: Image.Image, background: str) -> tuple[Image.Image, list[str]]:
    """Convert to 8-bit grey or RGB, upright, without transparency; name the steps that it took."""
    changes = ["first frame of an animation"] if getattr(image, "is_animated", False) else []
    image.load()
    upright = ImageOps.exif_transpose(image)
    # 1 is upright; the tag is gone from the copy.
    if image.getexif().get(0x0112, 1) in range(2, 9):
        changes.append("EXIF orientation")
    if upright.mode == "I" or upright.mode.startswith("I;16"):
        return _upper_byte(upright), [*changes, "16 bits to 8"]
    if upright.mode == "F":
        raise ValueError("its pixels are floating-point numbers; save it with 8 or 16 bits")
    if upright.has_transparency_data:
        return _laid_on(background, upright), [*changes, f"transparency to {background}"]
    if upright.mode in PLAIN:
        return upright, changes
    target = "L" if _is_grey(upright) else "RGB"
    return upright.convert(target), [*changes, f"{_KINDS.get(upright.mode, upright.mode)} to {target}"]


_KINDS = {"1": "black and white", "P": "palette"}


def _upper_byte(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise ValueError("its grey values do not fit 16 bits; save it with 8 or 16 bits")
    return Image.fromarray((values >> 8).astype(np.uint8))


def _laid_on(background: str, image: Image.Image) -> Image.Image:
    grey = _is_grey(image)
    full = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", full.size, background), full).convert("L" if grey else "RGB")
