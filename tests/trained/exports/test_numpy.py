"""The folder of NumPy code: files are opened as `tenfold predict` opens them, and what cannot be read is said."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tenfold.data.framing import FRAMINGS
from tenfold.data.given import file_pixels
from tenfold.rooms import find
from tenfold.trained.answer import form_of
from tenfold.trained.exports.numpy import SCRIPT
from tests.trained.exports.models import MODELS
from tests.trained.exports.test_laws import written


@pytest.fixture(scope="module", params=FRAMINGS)
def exported(request, tmp_path_factory):
    """A model of 12 × 12 pixels in color that lays transparency on black; its export, and that export at work."""
    model = MODELS["linear"]()
    model.cause["data"]["framing"] = request.param
    trained, _, place = written(model, "numpy", tmp_path_factory.mktemp("numpy"))
    return trained, place, find("exports", "numpy").open(place)


def turned(orientation):
    tags = Image.Exif()
    tags[0x112] = orientation
    return {"exif": tags}


KINDS = {
    "plain.png": ("RGB", {}),
    "own.bmp": ("RGB", {}),
    "large.jpg": ("RGB", {}),
    "grey.jpg": ("L", {}),
    "clear.png": ("RGBA", {}),
    "clear-grey.png": ("LA", {}),
    "palette.gif": ("P", {}),
    "palette-clear.png": ("P", {"transparency": 3}),
    "print.jpg": ("CMYK", {}),
    "line.png": ("1", {}),
    "lossy.webp": ("RGB", {}),
    **{f"turned{k}.jpg": ("RGB", turned(k)) for k in (2, 6)},
    "turned.tif": ("RGB", turned(8)),
    "deep.png": ("I;16", {}),
    "deep-dark.tif": ("I;16", {}),
}


def picture(rng, name, mode):
    height, width = (700, 500) if name.startswith("large") else (12, 12) if name.startswith("own") else (31, 44)
    if mode == "I;16":
        return Image.fromarray(rng.integers(0, 3000 if "dark" in name else 65536, (height, width), dtype=np.uint16))
    return Image.fromarray(rng.integers(0, 256, (height, width, 4), dtype=np.uint8), "RGBA").convert(mode)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_file_is_opened_as_the_model_opens_it(exported, name, tmp_path, rng):
    mode, options = KINDS[name]
    picture(rng, name, mode).save(tmp_path / name, **options)
    trained, _, opened = exported
    np.testing.assert_array_equal(opened.pixels(tmp_path / name), file_pixels(tmp_path / name, form_of(trained))[0])


def test_deep_color_is_refused_not_read_otherwise(exported, tmp_path):
    """Pillow keeps the upper byte of each color alone, the model's reader both."""
    size, values = b"2 2\n65535\n", np.arange(12, dtype=">u2").tobytes()
    (tmp_path / "deep.ppm").write_bytes(b"P6\n" + size + values)
    with pytest.raises(ValueError, match="more than 8 bits for each color"):
        exported[2].pixels(tmp_path / "deep.ppm")


def test_the_script_answers_about_files_and_reports_the_others(exported, tmp_path):
    trained, place, _ = exported
    Image.new("RGB", (20, 20), (9, 80, 200)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no")
    line = [sys.executable, str(place / SCRIPT), "b.png", "a.png"]
    done = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path)
    (row,) = map(json.loads, done.stdout.splitlines())
    answer = trained.predict(tmp_path / "a.png")
    assert (row["file"], row["predicted"]) == ("a.png", answer.predicted)
    assert row["probability"] == pytest.approx(answer.probabilities[answer.predicted], abs=1e-5)
    assert done.returncode == 1
    assert done.stderr.startswith("b.png: ")
    assert done.stderr.count("\n") == 1


def test_the_script_is_short(exported):
    assert len((exported[1] / SCRIPT).read_text().splitlines()) < 130
