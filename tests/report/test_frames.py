"""The picture that a report shows of what becomes of unequal sides."""

import io
from base64 import b64decode

import numpy as np
import pytest
from PIL import Image

from tenfold.data.load import load
from tenfold.report.frames import framed_example
from tenfold.report.pages import write_audit_page
from tenfold.report.pictures import album


@pytest.fixture
def photographs(tmp_path):
    """Square ones, and a wide one whose left half is red and whose center is blue."""
    rng = np.random.default_rng(0)
    for number in range(12):
        path = tmp_path / "data" / "ab"[number % 2] / f"{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (20, 20, 3), np.uint8)).save(path)
    wide = Image.new("RGB", (120, 40), (250, 0, 0))
    wide.paste((0, 0, 250), (40, 0, 80, 40))
    wide.save(tmp_path / "data" / "b" / "wide.png")
    return tmp_path / "data"


def decoded(picture):
    return Image.open(io.BytesIO(b64decode(picture.uri.partition(",")[2]))).convert("RGB")


def test_the_file_stands_beside_what_a_model_sees(photographs):
    shown = framed_example(album(load(str(photographs)), True))
    assert (shown.did, shown.sizes, shown.enlarged) == ("cropped to their center", ("120 × 40", "20 × 20"), 2)
    assert decoded(shown.file).size == (120, 40)
    assert decoded(shown.file).getpixel((5, 20))[0] > 200
    assert np.asarray(decoded(shown.seen))[..., 2].min() > 200
    assert (shown.seen.width, shown.seen.height) == (40, 40)


def test_nothing_is_shown_of_squares_of_hidden_images_or_of_files_that_are_gone(photographs, tmp_path):
    data = load(str(photographs))
    assert framed_example(album(data, False)) is None
    write_audit_page(tmp_path / "page.html", {}, data)
    assert "Images of unequal sides are cropped to their center" in (tmp_path / "page.html").read_text()
    (photographs / "b" / "wide.png").unlink()
    assert framed_example(album(data, True)) is None
    assert framed_example(album(load(str(photographs)), True)) is None
