import io
import random
import struct
import subprocess
import sys
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from tenfold.data.readers.images import FORMATS, images, remarks
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
    return Image.fromarray(GREY.astype(np.uint16) * 257)


FULL = "16 bits to 8, values 0 to 65,535 scaled to 0 to 255"


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
        (encoded(deep(), "PNG"), "L", FULL, [GREY[0, 0]]),
        (encoded(deep(), "TIFF"), "L", FULL, [GREY[0, 0]]),
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


# metadata


def tagged(number, kind, count, value, orientation=6):
    """EXIF, or a TIFF's directory, with an orientation and one more entry, both as bytes."""
    entries = sorted([(0x0112, 3, 1, struct.pack("<HH", orientation, 0)), (number, kind, count, value)])
    packed = b"".join(struct.pack("<HHL", *entry[:3]) + entry[3] for entry in entries)
    return b"II*\0" + struct.pack("<LH", 8, 2) + packed + bytes(4)


ODD = [
    (0x010F, 11, 1, b"\0\0\x80\x3f"),  # a maker that is a number
    (0x011A, 1, 1, b"\xff" * 4),  # a resolution that is a byte
    (0x011A, 6, 1, b"\xff" * 4),
    (0x011A, 11, 1, b"\xff" * 4),  # NaN
    (0x0128, 4, 1, b"\xff" * 4),  # a unit that is too large
    (0x8769, 6, 1, b"\xff" * 4),  # a directory before the file
    (0x8825, 4, 1, b"\xff" * 4),  # or behind it
    (0x02BC, 3, 1, b"\xff" * 4),  # XMP that is no text
    (0x02BC, 11, 1, b"\0\0\x80\x3f"),
]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("tag", ODD, ids=lambda tag: f"{tag[0]:#x}-{tag[1]}")
def test_of_odd_tags_the_orientation_is_read(kind, tag):
    lossless = {"lossless": True} if kind == "WEBP" else {}
    content = encoded(Image.fromarray(COLOR), kind, exif=b"Exif\0\0" + tagged(*tag), **lossless)
    pixels, changes = images(content).pixels("RGB", 0)
    expected, _ = images(encoded(Image.fromarray(COLOR), kind, **lossless)).pixels("RGB", 0)
    assert "EXIF orientation" in changes
    assert np.array_equal(pixels, np.rot90(expected, -1, (1, 2)))


def test_a_negative_altitude_turns_no_picture_unreadable():
    tag = Image.Exif()
    tag[0x0112] = 3
    tag.get_ifd(0x8825)[6] = 7.0
    exif = tag.tobytes()
    negative = exif.replace(struct.pack(">LL", 7, 1), struct.pack(">ll", -7, 1))
    negative = negative.replace(struct.pack("<LL", 7, 1), struct.pack("<ll", -7, 1))
    assert negative != exif
    for kind in ("JPEG", "PNG"):
        pixels, _ = images(encoded(Image.fromarray(COLOR), kind, exif=negative)).pixels("RGB", 0)
        plain, _ = images(encoded(Image.fromarray(COLOR), kind)).pixels("RGB", 0)
        assert np.array_equal(pixels, plain[:, ::-1, ::-1])


@pytest.mark.parametrize("tag", ODD[3:], ids=lambda tag: f"{tag[0]:#x}-{tag[1]}")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_of_odd_tags_of_a_tiff_the_orientation_is_read(tag):
    sides = [(256, 3, 1, 4), (257, 3, 1, 4), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8)]
    sides += [(274, 3, 1, 6), (277, 3, 1, 1), (278, 3, 1, 4), (279, 4, 1, 16)]
    entries = sorted([*((number, kind, n, struct.pack("<L", value)) for number, kind, n, value in sides), tag])
    packed = b"".join(struct.pack("<HHL", *entry[:3]) + entry[3] for entry in entries)
    content = b"II*\0" + struct.pack("<L", 24) + bytes(range(16)) + struct.pack("<H", len(entries)) + packed + bytes(4)
    pixels, changes = images(content).pixels("L", 0)
    assert pixels[0].tolist() == np.rot90(np.arange(16).reshape(4, 4), -1).tolist()
    assert "EXIF orientation" in changes


LONG = zlib.compress(bytes(3 * 2**20))
CHUNKS = {
    "profile of 3 MB": (b"iCCP", b"p\0\0" + LONG),
    "profile packed otherwise": (b"iCCP", b"p\0\7"),
    "half a profile": (b"iCCP", b"p\0"),
    "text of 3 MB": (b"tEXt", b"k\0" + bytes(3 * 2**20)),
    "packed text of 3 MB": (b"zTXt", b"k\0\0" + LONG),
    "international text": (b"iTXt", b"k\0\1\0\0\0" + LONG),
    "no gamma": (b"gAMA", b""),
    "half a resolution": (b"pHYs", b"\1"),
    "no chromaticities": (b"cHRM", b""),
    "no rendering intent": (b"sRGB", b""),
    "garbage for EXIF": (b"eXIf", b"garbage"),
    "a private chunk": (b"abCd", b"\xff" * 9),
}


@pytest.mark.parametrize("name", CHUNKS)
@pytest.mark.parametrize("after", [False, True])
def test_chunks_that_nobody_needs_spoil_no_png(tmp_path, name, after):
    whole, path = encoded(Image.fromarray(COLOR), "PNG"), tmp_path / "f.png"
    place = len(whole) - 12 if after else 33  # after the pixels, or between the header and them
    path.write_bytes(whole[:place] + chunk(*CHUNKS[name]) + whole[place:])
    pixels, changes = images(path).pixels("RGB", 0)
    assert np.array_equal(pixels, COLOR.transpose(2, 0, 1))
    assert changes == ()


def test_a_checksum_of_metadata_is_not_compared_that_of_pixels_is():
    whole = encoded(Image.fromarray(COLOR), "PNG")
    text = chunk(b"tEXt", b"k\0v")[:-4] + bytes(4)
    assert len(images(whole[:33] + text + whole[33:]).pixels("RGB", 0)[0]) == 3
    with pytest.raises(DataError, match="not a readable image"):
        images(whole[:29] + bytes(4) + whole[33:])


def test_warnings_of_pillow_are_counted_and_others_shown():
    damaged = encoded(Image.fromarray(COLOR), "JPEG", exif=b"Exif\0\0" + tagged(0x010F, 2, 2**28, b"\0\0\0\x08"))
    with warnings.catch_warnings(record=True) as shown, remarks() as heard:
        images(damaged).pixels("RGB", 0)
        warnings.warn("mine", stacklevel=1)
    assert set(heard) == {"Tag data larger than file. Skipping tag 271"}
    assert len(shown) == 1


# size


def test_a_photograph_of_24_megapixels_is_read_however_well_it_packs(tmp_path, decoded):
    picture = Image.radial_gradient("L").resize((6000, 4000), Image.Resampling.NEAREST)
    for mode, ending in (("RGB", "jpg"), ("L", "png"), ("RGB", "png"), ("1", "tif")):
        path = tmp_path / f"{mode}.{ending}"
        picture.convert(mode, dither=Image.Dither.NONE).save(
            path, **({"compression": "group4"} if ending == "tif" else {})
        )
        assert 24e6 / path.stat().st_size > 5
        assert images(path).pixels("L", 64)[0].shape == (1, 64, 64)
    assert decoded[0] == (750, 500)


def test_a_scan_of_a_page_at_600_dpi_is_read(tmp_path):
    Image.new("RGB", (4960, 7016), "white").save(tmp_path / "page.png")
    assert images(tmp_path / "page.png").pixels("RGB", 16)[0].min() == 255


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_jpeg_above_the_limit_is_decoded_small_or_not_at_all(tmp_path, decoded):
    path = tmp_path / "f.jpg"
    Image.new("L", (10000, 9000)).save(path)
    assert images(path).pixels("L", 64)[0].shape == (1, 64, 64)
    assert set(decoded) == {(1250, 1125)}
    with pytest.raises(DataError, match=r"claims 10000 × 9000 pixels .* more than the limit"):
        images(path).pixels("L", 0)
    Image.new("L", (10000, 9000)).save(path, progressive=True)
    with pytest.raises(DataError, match="more than the limit"):
        images(path).pixels("L", 64)


def test_bytes_of_anybody_are_read_only_where_they_may_hold_the_pixels():
    whole = encoded(Image.new("RGB", (6000, 4000)), "PNG")
    with pytest.raises(DataError, match=r"claims 6000 × 4000 pixels in .* more than the limit"):
        images(whole)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads its memory from /proc")
def test_a_claim_of_pixels_that_are_not_there_takes_no_memory_and_no_time(tmp_path):
    path = tmp_path / "f.png"
    path.write_bytes(png(8900, 8900, zlib.compress(bytes(1000))))
    code = (
        "import re, sys, time; from pathlib import Path\n"
        "from tenfold.data.readers.images import images; import tenfold.errors\n"
        "peak = lambda: int(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])\n"
        "before, start = peak(), time.process_time()\n"
        "try: images(Path(sys.argv[1])).pixels('RGB', 64)\n"
        "except tenfold.errors.DataError as error: print(error)\n"
        "print(peak() - before, time.process_time() - start)"
    )
    output = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True).stdout
    assert "cannot be decoded" in output
    kilobytes, seconds = map(float, output.splitlines()[-1].split())
    assert kilobytes < 64_000
    assert seconds < 0.1


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


@pytest.mark.parametrize("step", ["Image.open", "deep_values", "_opaque"])
def test_a_signal_is_no_fault_of_the_file(tmp_path, monkeypatch, step):
    """Else an image would be skipped as unreadable, and the run could not be resumed: its data would be others."""
    Image.new("I;16", (8, 8)).save(tmp_path / "whole.png")
    picture = images(tmp_path / "whole.png")

    def stopped(*_, **__):
        raise Interrupted("interrupted", 143)

    monkeypatch.setattr(f"tenfold.data.readers.images.{step}", stopped)
    with pytest.raises(Interrupted):
        picture.pixels("RGB", 8)
    if step == "Image.open":
        with pytest.raises(Interrupted):
            images(tmp_path / "whole.png")
