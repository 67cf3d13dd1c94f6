"""First images of a data set as a figure."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import tenfold
from tenfold.cli import main
from tenfold.errors import FileError, UsageError
from tenfold.report.examples import draw_examples, examples


@pytest.fixture(scope="module")
def digits():
    return tenfold.load("digits")


def test_the_first_images_of_the_test_part_or_of_all(digits):
    whole = examples(digits)
    assert (whole.part, whole.positions) == ("", tuple(range(10)))
    apart = examples(replace(digits, parts={"test": torch.tensor([7, 3, 5])}))
    assert (apart.part, apart.positions) == ("test", (7, 3, 5))
    assert apart.classes == tuple(digits.class_names[k] for k in digits.labels[[7, 3, 5]].tolist())
    wanted = digits.images[7, 0].numpy() * digits.scale
    np.testing.assert_allclose(apart.images[0], np.repeat(wanted[..., None], 3, axis=2), atol=1e-6)


def test_numbers_beyond_the_unit_interval_are_shown_by_their_range(digits):
    odd = replace(digits, images=4 * digits.images[:12].float() - 8, labels=digits.labels[:12], scale=1.0)
    images = examples(odd).images
    assert (images.min(), images.max()) == (0, 1)


def test_data_info_draws_them_twice_the_same(tmp_path, capsys):
    for name in ("once", "twice"):
        with pytest.raises(SystemExit) as ended:
            main(["data", "info", "digits", "--figure", str(tmp_path / f"made/{name}.svg")])
        assert ended.value.code == 0
        assert name in capsys.readouterr().out
    once, twice = ((tmp_path / f"made/{name}.svg").read_bytes() for name in ("once", "twice"))
    assert once == twice
    assert b"the first 10 images" in once


def test_what_cannot_be_written_is_one_plain_line(digits, tmp_path):
    with pytest.raises(UsageError, match=r"ends with \.svg"):
        draw_examples(digits, tmp_path / "x.png")
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="file"):
        draw_examples(digits, tmp_path / "file" / "x.svg")
