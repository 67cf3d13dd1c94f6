import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tenfold.data import decode as decoding
from tenfold.data.duplicates import find_duplicates
from tenfold.data.levels import levels_of, scaled, spread_of
from tenfold.data.load import load
from tests.data.readers.test_images import chunk

RNG = np.random.default_rng(0)
DIGITS = load("digits").images.numpy()[:, 0] * 15


def folder(root, pictures, ending="png", save=None):
    """Two classes in turn; save(picture, path) in place of Pillow's own."""
    for number, picture in enumerate(pictures):
        path = root / "ab"[number % 2] / f"{number:04d}.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if save:
            save(picture, path)
        else:
            (Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture).save(path)
    return str(root)


# grey


def larger(arrays):
    return [Image.fromarray(array).resize((24, 24), Image.Resampling.BICUBIC) for array in arrays]


def rgb(image):
    return image.convert("RGB")


def rgba(image):
    return image.convert("RGBA")


def colors_of_a_palette(image):
    """A palette with a color that no pixel has."""
    palette = [value for k in range(255) for value in (k, k, k)] + [255, 0, 0]
    made = Image.fromarray(np.minimum(np.asarray(image), 254))
    made = Image.frombytes("P", made.size, made.tobytes())
    made.putpalette(palette)
    return made


@pytest.mark.parametrize("ending", ["png", "jpg", "bmp", "gif", "tif"])
@pytest.mark.parametrize("change", [rgb, rgba, colors_of_a_palette])
def test_grey_is_judged_by_content(tmp_path, ending, change):
    if (change, ending) in ((rgba, "jpg"), (rgba, "bmp"), (colors_of_a_palette, "jpg"), (rgba, "gif")):
        pytest.skip("the format has no such mode")
    pictures = [Image.fromarray(np.minimum(np.asarray(image), 254)) for image in larger(DIGITS[:30])]
    grey = load(folder(tmp_path / "grey", pictures, ending))
    other = load(folder(tmp_path / "other", map(change, pictures), ending))
    assert torch.equal(other.images, grey.images)
    assert not other.photographs
    assert any("holds only grey" in note for note in other.notes) or ending == "gif"


@pytest.mark.parametrize("quality", [30, 80])
def test_what_webp_leaves_of_grey_is_grey(tmp_path, quality):
    images = load(folder(tmp_path, map(rgb, larger(DIGITS[:20])), "webp", lambda i, p: i.save(p, quality=quality)))
    assert images.images.shape[1] == 1


def test_one_rgb_file_among_grey_digits_changes_nothing(tmp_path):
    pictures = larger(DIGITS[:300])
    grey = load(folder(tmp_path / "grey", pictures))
    mixed = load(folder(tmp_path / "mixed", [rgb(pictures[0]), *pictures[1:]]))
    assert torch.equal(mixed.images, grey.images)
    assert (mixed.photographs, mixed.notes) == (False, ("1 image: RGB that holds only grey, read as grey",))
    assert find_duplicates(mixed).near == find_duplicates(grey).near


def test_color_counts_by_its_share(tmp_path):
    grey = larger(DIGITS[:40])
    red = [Image.merge("RGB", (image, image, Image.new("L", image.size))) for image in grey]
    few = load(folder(tmp_path / "few", [*red[:2], *grey[2:]]))
    assert few.images.shape[1] == 1
    assert few.notes == ("2 images: RGB to grey",)
    assert torch.equal(few.images[0, 0], torch.from_numpy(np.array(red[0].convert("L"))))
    some = load(folder(tmp_path / "some", [*red[:3], *grey[3:]]))
    assert some.images.shape[1] == 3
    assert some.photographs


def test_a_class_of_its_own_color_keeps_it(tmp_path):
    grey = larger(DIGITS[:100])
    for number, image in enumerate(grey):
        name = "ab"[number % 2] if number > 2 else "c"
        (tmp_path / name).mkdir(exist_ok=True)
        colored = Image.merge("RGB", (image, image, Image.new("L", image.size)))
        (colored if name == "c" else image).save(tmp_path / name / f"{number}.png")
    assert load(str(tmp_path)).images.shape[1] == 3


# more than 8 bits


def png16(values):
    """A PNG of 16 bits with 1 to 4 channels, which Pillow does not write."""
    height, width, channels = values.shape
    head = np.array([width, height], ">u4").tobytes() + bytes([16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0])
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def tiff16(values, order="<"):
    """An uncompressed TIFF of 16 bits, RGB."""
    height, width, _ = values.shape
    letters, data = ("II", values.astype("<u2")) if order == "<" else ("MM", values.astype(">u2"))
    short = np.dtype(order + "u2")
    start = 8 + data.nbytes
    entries = [(256, 3, width), (257, 3, height), (258, 3, start), (259, 3, 1), (262, 3, 2), (273, 4, 8)]
    entries += [(277, 3, 3), (278, 3, height), (279, 4, data.nbytes)]
    packed = b""
    for number, kind, value in entries:
        count = 3 if number == 258 else 1
        size = np.array([value], order + "u4") if kind == 4 or number == 258 else np.array([value, 0], short)
        packed += np.array([number, kind], short).tobytes() + np.array([count], order + "u4").tobytes() + size.tobytes()
    bits = np.array([16, 16, 16], short).tobytes()
    first = letters.encode() + np.array([42], short).tobytes() + np.array([start + 6], order + "u4").tobytes()
    return first + data.tobytes() + bits + np.array([len(entries)], short).tobytes() + packed + bytes(4)


def ppm16(values):
    kind = "P5" if values.shape[2] == 1 else "P6"
    return f"{kind}\n{values.shape[1]} {values.shape[0]}\n65535\n".encode() + values.astype(">u2").tobytes()


def written(make):
    return lambda values, path: path.write_bytes(make(values))


def by_pillow(values, path):
    Image.fromarray(values[..., 0]).save(path)


DEEP = {
    "grey png": (1, "png", by_pillow),
    "grey tiff": (1, "tif", by_pillow),
    "packed grey tiff": (1, "tif", lambda v, p: Image.fromarray(v[..., 0]).save(p, compression="tiff_lzw")),
    "pgm": (1, "pgm", written(ppm16)),
    "png": (3, "png", written(png16)),
    "tiff": (3, "tif", written(tiff16)),
    "big-endian tiff": (3, "tif", written(lambda values: tiff16(values, ">"))),
    "ppm": (3, "ppm", written(ppm16)),
}


def expected(values, low, high):
    """The formula, image by image, as (N, C, H, W)."""
    return np.clip(np.round((np.stack(values).astype(float) - low) * 255 / (high - low)), 0, 255).transpose(0, 3, 1, 2)


@pytest.mark.parametrize("kind", DEEP)
@pytest.mark.parametrize("most", [240, 4000, 65535])
def test_deep_pictures_are_scaled_by_the_range_of_the_folder(tmp_path, kind, most):
    channels, ending, save = DEEP[kind]
    values = [RNG.integers(0, most + 1, (12, 12, channels), dtype=np.uint16) for _ in range(6)]
    values[3][0, 0], values[4][0, 0] = 0, most
    dataset = load(folder(tmp_path, values, ending, save))
    order = [0, 2, 4, 1, 3, 5]  # by class
    assert dataset.levels == (0, most)
    assert np.array_equal(dataset.images.numpy(), expected([values[k] for k in order], 0, most))
    assert f"6 images: 16 bits to 8, values 0 to {most:,} scaled to 0 to 255" in dataset.notes


@pytest.mark.parametrize("dtype", [np.uint16, np.int64, np.int32, np.uint32])
@pytest.mark.parametrize("channels", [1, 3])
def test_folder_and_npz_agree(tmp_path, dtype, channels):
    values = [RNG.integers(300, 4000, (12, 12, channels), dtype=np.uint16) for _ in range(6)]
    pictures = load(folder(tmp_path / "f", values, "png", written(png16)))
    stacked = np.stack([values[k] for k in (0, 2, 4, 1, 3, 5)]).astype(dtype)
    np.savez(tmp_path / "a.npz", x=stacked if channels == 3 else stacked[..., 0], y=[0, 0, 0, 1, 1, 1])
    array = load(str(tmp_path / "a.npz"))
    assert torch.equal(array.images, pictures.images)
    assert array.levels == pictures.levels
    low, high = array.levels
    assert array.notes == (f"{np.dtype(dtype)} pixels: values {low:,} to {high:,} scaled to 0 to 255",)


def test_numbers_below_zero_and_in_rows(tmp_path):
    x = np.linspace(-1000, 3000, 4 * 64).round().astype(np.int16).reshape(4, 8, 8)
    np.savez(tmp_path / "a.npz", x=x, y=[0, 1, 0, 1])
    dataset = load(str(tmp_path / "a.npz"))
    assert (dataset.images.min(), dataset.images.max(), dataset.levels) == (0, 255, (-1000, 3000))
    np.savez(tmp_path / "rows.npz", x=x.reshape(4, -1), y=[0, 1, 0, 1])
    rows = load(str(tmp_path / "rows.npz"))  # numbers of a table, perhaps: no pixels
    assert rows.images.dtype == torch.float32
    assert (rows.scale, rows.levels) == (1.0, ())


def test_alpha_of_16_bits_is_laid_on_white(tmp_path):
    values = np.full((8, 8, 4), 2000, np.uint16)
    values[..., 3] = 65535
    values[:4, :, 3] = 0
    values[5] = (0, 4000, 4000, 65535)
    for channels in ((0, 3), (0, 1, 2, 3)):
        place = tmp_path / str(len(channels))
        images = load(folder(place, [values[..., channels]] * 2, "png", written(png16))).images
        assert (images[0, :, 0] == 255).all()
        assert (images[0, 0, 5] == 0).all()
        assert set(images[0, :, 4].unique().tolist()) == {255 if len(channels) == 2 else 128}  # of at most 2000, 4000


def test_beside_8_bits_the_brightness_of_deep_pictures_stays(tmp_path):
    bright = np.full((8, 8), 60, np.uint8)
    deep = np.full((8, 8), 60 * 16, np.uint16)
    deep[0, 0] = 3000  # of 12 bits
    dataset = load(folder(tmp_path, [bright, bright, deep, deep]))
    assert dataset.levels == (0, 4095)
    assert (dataset.images[:, 0, 4, 4].int() - 60).abs().max() <= 1


def test_hot_pixels_do_not_decide_the_range():
    values = [RNG.integers(100, 4001, (64, 64)).astype(np.uint16) for _ in range(3)]
    for image in values:
        image[3, 5] = 65535
        image[0, 0] = 4000
    low, high = levels_of([spread_of(image) for image in values])
    assert 3980 <= high <= 4000
    assert 100 <= low <= 120
    assert scaled(values[0], (low, high))[3, 5] == 255
    sound = [np.minimum(image, 4000) for image in values]
    assert levels_of([spread_of(image) for image in sound]) == (np.min(sound), 4000)


def test_deep_pictures_that_hold_only_grey_are_grey(tmp_path):
    values = [RNG.integers(0, 4000, (12, 12, 1), dtype=np.uint16) for _ in range(4)]
    grey = load(folder(tmp_path / "grey", values, "png", written(png16)))
    colors = load(folder(tmp_path / "rgb", [value.repeat(3, 2) for value in values], "png", written(png16)))
    assert torch.equal(grey.images, colors.images)


def test_a_model_keeps_the_range(tmp_path):
    """A picture that is much darker than those of training is not stretched to their brightness."""
    noise = RNG.integers(0, 400, (40, 8, 8), dtype=np.uint16)
    values = [np.uint16(500 if k % 2 else 3500) + noise[k] for k in range(40)]
    data = folder(tmp_path / "f", values)
    words = [sys.executable, "-m", "tenfold"]
    run = [*words, "train", data, "--epochs", "3", "--learning-rate", "0.1", "--out", str(tmp_path / "run")]
    subprocess.run(run, check=True, capture_output=True)
    from tenfold.runs.ask import predict_files
    from tenfold.runs.predict import evaluate_model
    from tenfold.trained.model import load_model

    low, high = load_model(tmp_path / "run" / "model.tenfold").cause["data"]["levels"]
    assert (low, high) == (min(int(v.min()) for v in values), max(int(v.max()) for v in values))
    dark = folder(tmp_path / "dark", values[1::2])  # both folders hold the class b
    predicted = predict_files(tmp_path / "run", [Path(dark)])["predictions"]
    assert {answer["predicted"] for answer in predicted} == {"b"}
    assert evaluate_model(tmp_path / "run", data, "all", "")["accuracy"] == 1


# one size, guessed and proved


def test_a_wrong_guess_is_made_good(tmp_path, monkeypatch):
    sides = [8] * 3 + [20] * 10
    pictures = [Image.effect_noise((side, side), 60) for side in sides]
    pictures[-3:] = [Image.merge("RGB", (image, image, Image.new("L", image.size))) for image in pictures[-3:]]
    root = folder(tmp_path, pictures)
    monkeypatch.setattr(decoding, "SAMPLE", 1)
    guessed = load(root)
    monkeypatch.undo()
    assert guessed.images.shape == (13, 3, 20, 20)
    assert torch.equal(load(root).images, guessed.images)
    assert load(root).notes == guessed.notes


def test_progress_is_reported_from_the_start(tmp_path):
    heard = []
    load(folder(tmp_path, [Image.effect_noise((20, 20), 60) for _ in range(200)]), watch=heard.append)
    assert (heard[0].name, heard[0].done, heard[0].total) == ("reading images", 0, 200)
    assert (heard[-1].done, heard[-1].seconds_left) == (200, 0)
    assert [work.done for work in heard] == sorted(work.done for work in heard)
