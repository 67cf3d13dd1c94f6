"""An image file to unsigned bytes, grey or RGB, through Pillow, with its size checked before a pixel is decoded.

Formats are a closed list (`tenfold.data.pictureformats`), recognized by content. What is not plain grey or RGB is
converted, and said so: EXIF orientation is applied, transparency is laid on a color, the first frame stands for an
animation, deeper pixels are scaled (`tenfold.data.levels`), palettes and CMYK become RGB. Resizing is to a square
(`tenfold.data.framing`); then RGB becomes grey, where it has to, by ITU-R 601: 0.299 R + 0.587 G + 0.114 B.

Of the metadata only the orientation is read. A profile, a text or a tag that Pillow cannot make sense of spoils no
picture, and what it warns of is counted (`remarks`).
"""

__all__ = ["DecodedImage", "ImageFile", "images", "in_memory", "in_mode", "read", "remarks"]

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from PIL.ImageFile import ImageFile as PillowFile

from tenfold.data.deep import deep_values, is_deep, rawmode
from tenfold.data.framing import framed
from tenfold.data.levels import Levels, Spread, bit_levels, levels_text, scaled, spread_of
from tenfold.data.pictureformats import FORMATS, opened
from tenfold.errors import DataError, TenfoldError

PIXELS_CAP = 80_000_000  # that are decoded; below Pillow's own limit, which a program may have lifted
# A picture that is no file of this machine may take this much, and RATIO times its bytes.
DECODED_BYTES = 32 * 2**20
RATIO = 16
GIANT = 2**24  # pixels from which one picture is decoded at a time
GREY = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N"})
PLAIN = ("L", "RGB")
ORIENTATION = 0x0112
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_TAGS = {"exif", "xmp"}  # where a JPEG has them
_ONE_GIANT = threading.Lock()


class ImageFile(NamedTuple):
    """An image whose header was read: what it claims to be, and where its pixels are.

    width, height: as stored, before EXIF orientation. kind: format and Pillow's mode, such as "JPEG RGB". deep: more
    than 8 bits for each value. transparent: some pixels may be.
    """

    source: Path | bytes
    width: int
    height: int
    grey: bool
    deep: bool
    kind: str
    transparent: bool = False

    def opacity(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Decode grey values and opacities, each (height, width) or empty where that cannot be done."""
        try:
            with _opened(self.source) as (image, _):
                grey, opacity = image.convert("RGBA").convert("LA").split()
        except TenfoldError:
            raise
        except Exception:  # as in `read`, which reports it
            return np.zeros((0, 0), np.uint8), np.zeros((0, 0), np.uint8)
        return np.asarray(grey), np.asarray(opacity)

    def pixels(
        self, mode: str, side: int, background: str = "white", levels: Levels = (), framing: str = "squash"
    ) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
        """Decode pixels (C, side, side), C = 1 for mode "L" and 3 for "RGB"; name the conversions that it took.

        side 0 keeps height and width. background: color under what is transparent. levels: range of deep pixels, ()
        for that of the bits that they use. framing: how unequal sides become equal. Raises DataError that names the
        file where the pixels cannot be decoded.
        """
        picture = read(self.source, side, background, levels, framing)
        changes = list(picture.changes)
        if picture.file.grey != (mode == "L"):
            changes.append("grey to RGB" if mode == "RGB" else "RGB to grey")
        return np.ascontiguousarray(in_mode(picture.pixels, mode)), tuple(changes)


class DecodedImage(NamedTuple):
    """An image file that was decoded.

    pixels: (1, H, W) or (3, H, W), as the file is grey or not. changes: the conversions that it took. spread: of the
    values of a deep file that was read without levels, by those of its own bits.
    """

    file: ImageFile
    pixels: NDArray[np.uint8]
    changes: tuple[str, ...]
    spread: Spread | None


def images(source: Path | bytes) -> ImageFile:
    """Read the header of one image file, or of its bytes; `.pixels(mode, side)` then decodes it.

    Raises DataError that names the file: absent, of no known format, more pixels than the cap.
    """
    with _opened(source) as (_, file):
        return file


def read(
    source: Path | bytes, side: int, background: str = "white", levels: Levels = (), framing: str = "squash"
) -> DecodedImage:
    """Read header and pixels of one image file at once; all but the file as in `ImageFile.pixels`.

    Raises DataError that names the file.
    """
    with _opened(source) as (image, file):
        try:
            if side:  # a JPEG is decoded at 1/2, 1/4 or 1/8 where that is enough
                image.draft(None, (2 * side, 2 * side))
            # A progressive JPEG is held whole by its decoder, however small it becomes.
            _check_size(image, source, (file.width, file.height) if "progressive" in image.info else image.size)
            with _ONE_GIANT if image.width * image.height > GIANT else nullcontext():
                return _decoded(image, file, side, background, levels, framing)
        except TenfoldError:  # a signal, too, which is no fault of the file
            raise
        except Exception as error:  # a decoder of foreign bytes raises whatever its formats' authors thought of
            raise DataError(f"{_name(source)}: cannot be decoded ({_reason(error)})") from error


def in_mode(pixels: NDArray[np.uint8], mode: str) -> NDArray[np.uint8]:
    """Return pixels (C, H, W) with one channel for mode "L", with three for "RGB"."""
    if len(pixels) == (1 if mode == "L" else 3):
        return pixels
    if mode == "RGB":
        return np.broadcast_to(pixels, (3, *pixels.shape[1:]))
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0))).convert("L"))[None]


def in_memory(image: Image.Image, mode: str, side: int, background: str, framing: str = "squash") -> NDArray[np.uint8]:
    """Return pixels (C, side, side) of a picture of 8-bit values that Pillow holds, by the steps that a file takes."""
    orientation = _orientation(image)
    upright = image.transpose(TURNS[orientation]) if orientation != 1 else image
    return np.ascontiguousarray(in_mode(_squared(_opaque(upright, background, []), side, framing), mode))


@contextmanager
def remarks() -> Iterator[list[str]]:
    """Keep Pillow's warnings off the terminal within the block; yield the list that they are added to.

    Filters are global to the process: enter it once around a whole folder, not in each thread.
    """
    heard: list[str] = []
    package = str(Path(Image.__file__).parent)
    with warnings.catch_warnings():
        shown = warnings.showwarning

        def listen(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if not filename.startswith(package):
                shown(message, category, filename, lineno, file, line)
            elif not issubclass(category, Image.DecompressionBombWarning):  # the caps here are others
                heard.append(" ".join(str(message).split()))

        warnings.showwarning = listen
        warnings.filterwarnings("always", module=r"PIL\.")
        yield heard


@contextmanager
def _opened(source: Path | bytes) -> Iterator[tuple[PillowFile, ImageFile]]:
    try:
        image = opened(source)
        file = _header(image, source)
    except TenfoldError:
        raise
    except Exception as error:  # as above
        raise DataError(f"{_name(source)}: not a readable image ({_reason(error)})") from error
    with image:
        yield image, file


def _header(image: PillowFile, source: Path | bytes) -> ImageFile:
    if image.format not in ("JPEG", "MPO"):  # whose size is checked when it is known how small it is decoded
        _check_size(image, source, image.size)
    kind = f"{image.format} {image.mode}"
    return ImageFile(
        source, image.width, image.height, _is_grey(image), is_deep(image), kind, image.has_transparency_data
    )


def _name(source: Path | bytes) -> str:
    return str(source) if isinstance(source, Path) else "the image"


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return f"its content is none of {', '.join(FORMATS)}; save it as PNG or JPEG"
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return "it claims more pixels than the limit"
    return " ".join(str(getattr(error, "strerror", None) or error or type(error).__name__).split())


def _check_size(image: Image.Image, source: Path | bytes, sides: tuple[int, int]) -> None:
    """Refuse more pixels than the cap. A file is the user's own, and may be packed well; bytes may be anybody's."""
    pixels = sides[0] * sides[1]
    width = 1 if image.mode in ("1", "L") else 4  # bytes of a pixel in Pillow's memory
    packed = isinstance(source, bytes) and pixels * width > DECODED_BYTES + RATIO * len(source)
    if pixels > PIXELS_CAP or packed:
        size = source.stat().st_size if isinstance(source, Path) else len(source)
        claim = f"claims {sides[0]} × {sides[1]} pixels in {size:,} bytes"
        raise DataError(f"{_name(source)}: {claim}, more than the limit; save it smaller")


def _is_grey(image: Image.Image) -> bool:
    """Judge by the mode, or by the palette: GIF has no other way to be grey."""
    if image.mode != "P":
        return image.mode in GREY or rawmode(image).startswith("LA;")
    palette = np.array(image.getpalette("RGB") or [0, 0, 1]).reshape(-1, 3)
    return bool((palette == palette[:, :1]).all())


def _decoded(
    image: PillowFile, file: ImageFile, side: int, background: str, levels: Levels, framing: str
) -> DecodedImage:
    changes = ["first frame of an animation"] if getattr(image, "is_animated", False) else []
    orientation = _only_orientation(image) if image.format == "TIFF" else 1
    upright: Image.Image = image
    spread = None
    if file.deep:
        values = deep_values(image, lambda: _again(file.source))
        colors = values[..., : 1 if file.grey else 3] if values.ndim == 3 else values
        if not levels:
            spread = spread_of(colors)
            levels = bit_levels([spread])
        upright = _shallow(values, colors, levels)
        changes.append(f"16 bits to 8, {levels_text(levels)}")
    image.load()
    if image.format != "TIFF" and (orientation := _orientation(image)) != 1:
        upright = upright.transpose(TURNS[orientation])
    if orientation != 1:
        changes.append("EXIF orientation")
    plain = _opaque(upright, background, changes)
    target = (side, side) if side else plain.size
    if (file.width, file.height) not in (target, target[::-1]):
        changes.append("resized")
    return DecodedImage(file, _squared(plain, side, framing), tuple(changes), spread)


def _squared(plain: Image.Image, side: int, framing: str) -> NDArray[np.uint8]:
    """Return the pixels (C, side, side) of a grey or RGB image, or (C, H, W) as they are for side 0."""
    array = np.asarray(framed(plain, side, framing) if side else plain)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def _orientation(image: Image.Image) -> int:
    """Return how the picture is turned, 1 where its metadata do not say so in a way that can be read."""
    if image.format == "JPEG" and not image.info.keys() & _TAGS:
        return 1
    try:
        value = image.getexif().get(ORIENTATION, 1)
    except TenfoldError:
        raise
    except Exception:  # tags of every kind of damage
        return 1
    return value if value in TURNS else 1


def _only_orientation(image: PillowFile) -> int:
    """Return a TIFF's orientation and make Pillow forget all other tags: it turns a TIFF itself while it loads."""
    orientation = _orientation(image)
    tags = Image.Exif()
    if orientation != 1:
        tags[ORIENTATION] = orientation
    tags._loaded = True
    image._exif = tags
    for name in ("exif", "xmp"):
        image.info.pop(name, None)
    return orientation


def _again(source: Path | bytes) -> PillowFile:
    image = opened(source)
    if image.format == "TIFF":
        _only_orientation(image)
    return image


def _shallow(values: NDArray[Any], colors: NDArray[Any], levels: Levels) -> Image.Image:
    """Return the 8-bit picture of deep values, with the alpha channel that these have."""
    channels = values.shape[2] if values.ndim == 3 else 1
    pixels = scaled(colors, levels)
    if channels in (2, 4):
        pixels = np.concatenate([pixels, (values[..., -1:] >> 8).astype(np.uint8)], 2)
    return Image.fromarray(pixels)


def _opaque(image: Image.Image, background: str, changes: list[str]) -> Image.Image:
    """Convert to 8-bit grey or RGB, without transparency; add the steps that it took."""
    if image.mode == "F":
        raise ValueError("its pixels are floating-point numbers; save it with 8 or 16 bits")
    if image.has_transparency_data:
        changes.append(f"transparency to {background}")
        return _laid_on(background, image)
    if image.mode in PLAIN:
        return image
    target = "L" if _is_grey(image) else "RGB"
    changes.append(f"{_KINDS.get(image.mode, image.mode)} to {target}")
    return image.convert(target)


_KINDS = {"1": "black and white", "P": "palette"}


def _laid_on(background: str, image: Image.Image) -> Image.Image:
    grey = _is_grey(image)
    full = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", full.size, background), full).convert("L" if grey else "RGB")
