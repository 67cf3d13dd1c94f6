import io
import random
import struct
import threading
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFile

from tenfold.data.readers.images import FORMATS, images
from tenfold.errors import DataError, Interrupted

RNG = np.random.default_rng(0)
GREY = np.asarray(Image.fromarray(RNG.integers(0, 256, (6, 6), dtype=np.uint8)).resize((24, 24)))
COLOR = np.stack([GREY, GREY[::-1], GREY.T], -1)


def encoded(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("array", [GREY, COLOR], ids=["grey", "color"])
def test_every_format(tmp_path, kind, array):
    lossy = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}, "AVIF": {"quality": 100, "subsampling": "4:4:4"}}
    path = tmp_path / "without-ending"
    path.write_bytes(encoded(Image.fromarray(array), kind, **lossy.get(kind, {})))
    mode = "L" if array.ndim == 2 else "RGB"
    picture = images(path)
    assert (picture.width, picture.height) == (24, 24)
    pixels, _ = picture.pixels(mode, 0)
    expected = array[None] if mode == "L" else array.transpose(2, 0, 1)
    tolerance = ({"JPEG": 40, "GIF": 60, "AVIF": 4} if mode == "RGB" else {"JPEG": 10, "AVIF": 4}).get(kind, 0)
    assert pixels.shape == expected.shape
    assert pixels.flags.c_contiguous
    assert np.abs(pixels.astype(int) - expected).max() <= tolerance
    assert picture.grey == (mode == "L" and kind not in ("WEBP", "AVIF"))  # these have no grey


@pytest.mark.parametrize(
    ("image", "kind", "named"),
    [
        (Image.fromarray(GREY), "PNG", "PNG L"),
        (Image.fromarray(COLOR), "JPEG", "JPEG RGB"),
        (Image.fromarray(COLOR).convert("CMYK"), "JPEG", "JPEG CMYK"),
        (Image.fromarray(COLOR).quantize(8), "GIF", "GIF P"),
        (Image.fromarray(GREY.astype(np.uint16)), "PNG", "PNG I;16"),
    ],
)
def test_format_and_mode_are_named(image, kind, named):
    assert images(encoded(image, kind)).kind == named


def deep():
    return Image.fromarray((GREY.astype(np.uint16) << 8) | 0x7F)


def clear():
    image = Image.fromarray(np.zeros((4, 4, 4), np.uint8))
    image.putpixel((0, 0), (10, 20, 30, 255))
    return image


def upright():
    tag = Image.Exif()
    tag[0x0112] = 6  # turned by 90 degrees
    return tag


@pytest.mark.parametrize(
    ("content", "mode", "change", "corner"),
    [
        (encoded(deep(), "PNG"), "L", "16 bits to 8", [GREY[0, 0]]),
        (encoded(deep(), "TIFF"), "L", "16 bits to 8", [GREY[0, 0]]),
        (encoded(clear(), "PNG"), "RGB", "transparency to white", [10, 20, 30]),
        (encoded(Image.new("LA", (4, 4), (0, 0)), "PNG"), "L", "transparency to white", [255]),
        (encoded(Image.new("CMYK", (4, 4), (0, 0, 0, 0)), "TIFF"), "RGB", "CMYK to RGB", [255] * 3),
        (encoded(Image.new("RGB", (4, 4), (9, 8, 7)).quantize(4), "PNG"), "RGB", "palette to RGB", [9, 8, 7]),
        (encoded(Image.new("1", (4, 4), 1), "PNG"), "L", "black and white to L", [255]),
        (encoded(Image.fromarray(GREY), "PNG"), "RGB", "grey to RGB", [GREY[0, 0]] * 3),
        (encoded(Image.new("RGB", (4, 4), (255, 0, 0)), "PNG"), "L", "RGB to grey", [76]),
        (encoded(Image.fromarray(GREY), "PNG", exif=upright()), "L", "EXIF orientation", [GREY[-1, 0]]),
        (
            encoded(Image.new("L", (4, 4), 3), "GIF", save_all=True, append_images=[Image.new("L", (4, 4), 9)]),
            "L",
            "first frame of an animation",
            [3],
        ),
    ],
)
def test_conversions_are_right_and_said(content, mode, change, corner):
    pixels, changes = images(content).pixels(mode, 0)
    assert change in changes
    assert pixels[:, 0, 0].tolist() == corner


def test_resizing_is_smooth_and_said():
    board = np.indices((64, 64)).sum(0) % 2 * 255
    pixels, changes = images(encoded(Image.fromarray(board.astype(np.uint8)), "PNG")).pixels("L", 8)
    assert changes == ("resized",)
    assert pixels.shape == (1, 8, 8)
    assert np.abs(pixels.astype(int) - 127).max() <= 3  # without anti-aliasing it would be 0 or 255


@pytest.fixture
def decoded(monkeypatch):
    """Sizes of the images that Pillow decodes, in their order."""
    sizes, load = [], ImageFile.ImageFile.load

    def noted(image):
        pixels = load(image)
        sizes.append(image.size)
        return pixels

    monkeypatch.setattr(ImageFile.ImageFile, "load", noted)
    return sizes


def test_a_large_jpeg_is_decoded_small(decoded):
    photograph = encoded(Image.effect_noise((4000, 3000), 50).convert("RGB"), "JPEG", quality=50)
    assert images(photograph).pixels("RGB", 32)[0].shape == (3, 32, 32)
    assert set(decoded) == {(500, 375)}


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height, body, kind=2):
    head = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [65535, 9000, 2**31 - 1])
def test_bombs_are_refused_before_decoding(tmp_path, side, decoded):
    path = tmp_path / "bomb.png"
    path.write_bytes(png(side, side, zlib.compress(bytes(2**20))))
    with pytest.raises(
        DataError, match=r"bomb\.png: .*(more than the limit|more pixels than the limit|not a readable)"
    ):
        images(path)
    assert decoded == []


def test_a_large_file_has_a_limit_too():
    with pytest.raises(DataError, match=r"claims 9100 × 9100 pixels in .* bytes, more than the limit"):
        images(png(9100, 9100, bytes(2**23), kind=0))


def test_what_is_no_image_is_named(tmp_path):
    path = tmp_path / "text.png"
    path.write_bytes(b"hello")
    with pytest.raises(DataError, match=r"text\.png: not a readable image \(its content is none of PNG"):
        images(path)
    with pytest.raises(DataError, match=r"absent\.png: not a readable image \(No such file"):
        images(tmp_path / "absent.png")
    with pytest.raises(DataError, match="the image: not a readable image"):
        images(b"")
    with pytest.raises(DataError, match="none of PNG"):  # Pillow reads it, the list does not have it
        images(encoded(Image.new("L", (16, 16)), "ICO"))
    with pytest.raises(DataError, match="floating-point"):
        images(encoded(Image.new("F", (4, 4)), "TIFF")).pixels("L", 0)
    half = encoded(Image.fromarray(COLOR), "PNG")[:-40]
    with pytest.raises(DataError, match="cannot be decoded"):
        images(half).pixels("RGB", 0)


def reads_or_names(path):
    """Whether the reader took the file, or refused it by its own error with the path in it; any other error passes."""
    try:
        picture = images(path)
        picture.pixels("RGB" if picture.grey else "L", 8)
    except DataError as error:
        return str(path) in str(error)
    return True


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow tells of each damaged tag
@pytest.mark.parametrize("kind", FORMATS)
def test_mutations_raise_only_typed_errors(tmp_path, kind):
    rng, path = random.Random(kind), tmp_path / "f"
    options = {"exif": upright()} if kind in ("PNG", "JPEG", "WEBP") else {}
    good = encoded(Image.fromarray(COLOR), kind, **options)
    for _ in range(150):
        bad = bytearray(good)
        for _ in range(rng.randint(1, 4)):
            bad[rng.randrange(rng.choice([min(len(bad), 100), len(bad)]))] = rng.randrange(256)
        path.write_bytes(bad[: rng.choice([len(bad), rng.randrange(1, len(bad))])])
        assert reads_or_names(path)


def test_threads_agree():
    content = encoded(Image.fromarray(COLOR), "PNG")
    results = []
    threads = [threading.Thread(target=lambda: results.append(images(content).pixels("RGB", 12)[0])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    assert all(np.array_equal(result, results[0]) for result in results)


@pytest.mark.parametrize("step", ["open", "exif_transpose"])
def test_a_signal_is_no_fault_of_the_file(tmp_path, monkeypatch, step):
    """Else an image would be skipped as unreadable, and the run could not be resumed: its data would be others."""
    Image.new("RGB", (8, 8)).save(tmp_path / "whole.png")
    picture = images(tmp_path / "whole.png")

    def stopped(*_, **__):
        raise Interrupted("interrupted", 143)

    monkeypatch.setattr(
        f"tenfold.data.readers.images.{'Image.open' if step == 'open' else 'ImageOps.exif_transpose'}", stopped
    )
    with pytest.raises(Interrupted):
        picture.pixels("RGB", 8)
    if step == "open":
        with pytest.raises(Interrupted):
            images(tmp_path / "whole.png")
