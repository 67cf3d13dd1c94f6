"""`tenfold predict` in every format: rows, the likeliest classes, abstention, images that cannot be read."""

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image

from tenfold import cli
from tenfold.trained.model import save_model
from tests.trained.exports.models import CLASSES, MODELS

IMAGES = 150  # more than are answered at once


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A model and a folder of images, of which every fiftieth is broken."""
    root = tmp_path_factory.mktemp("predictions")
    save_model(root / "m.tenfold", MODELS["linear"]())
    (root / "many").mkdir()
    for k in range(IMAGES):
        pixels = np.random.default_rng(k).integers(0, 256, (12, 12, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / "many" / f"{k:03}.png")
    for k in (0, 50, 100):
        (root / "many" / f"{k:03}.png").write_bytes(b"no")
    (root / "broken").mkdir()
    (root / "broken" / "a.png").write_bytes(b"no")
    return root


@pytest.fixture
def run(place, monkeypatch, capfd):
    monkeypatch.chdir(place)

    def command(line):
        capfd.readouterr()
        return cli._run(line.split(), False), *capfd.readouterr()

    return command


def test_every_image_has_its_row_and_what_cannot_be_read_is_reported(run):
    code, out, err = run("predict m.tenfold many")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["file"] for row in rows] == [f"many/{k:03}.png" for k in range(IMAGES) if k % 50]
    assert code == 1
    for k in (0, 50, 100):
        assert f"many/{k:03}.png: not a readable image" in err
    assert "3 of 150 images could not be read" in err
    assert run("predict m.tenfold many --skip-unreadable")[0] == 0
    code, out, err = run("predict m.tenfold broken")
    assert (code, out, err.count("\n")) == (1, "", 1)


def test_json_lines_csv_and_json_say_the_same(run):
    lines = [json.loads(line) for line in run("predict m.tenfold many --format jsonl")[1].splitlines()]
    rows = list(csv.DictReader(io.StringIO(run("predict m.tenfold many")[1])))
    whole = json.loads(run("predict m.tenfold many --json")[1])
    assert [row["file"] for row in whole["unreadable"]] == [f"many/{k:03}.png" for k in (0, 50, 100)]
    for line, row, one in zip(lines, rows, whole["predictions"], strict=True):
        assert line["file"] == row["file"] == one["file"]
        assert line["predicted"] == one["predicted"] == max(line["probabilities"], key=line["probabilities"].get)
        assert list(line["probabilities"]) == list(CLASSES)
        assert list(line["probabilities"].values()) == one["probabilities"]
        np.testing.assert_allclose([float(text) for text in list(row.values())[2:]], one["probabilities"], atol=1e-5)


def test_no_cell_is_a_formula(run):
    (head, *rows) = csv.reader(io.StringIO(run("predict m.tenfold many")[1]))
    assert head == ["file", "predicted", "cat", '\'=1+1 "q"', "\\u202e中"]
    assert {row[1] for row in rows} <= set(head[2:])
    (head, *rows) = csv.reader(io.StringIO(run("predict m.tenfold many --top 2")[1]))
    assert head == ["file", "predicted", "class_1", "probability_1", "class_2", "probability_2"]
    assert all(not cell.startswith("=") for row in rows for cell in row)
    assert all(row[1] == row[2] and float(row[3]) >= float(row[5]) for row in rows)


def test_top_and_abstain_say_what_they_leave_out(run):
    first, *others = (json.loads(line) for line in run("predict m.tenfold many --format jsonl --top 1")[1].splitlines())
    assert set(first) == {"file", "predicted", "in_training", "top"}
    assert [one["class"] for one in first["top"]] == [first["predicted"]]
    sure = sorted(one["top"][0]["probability"] for one in (first, *others))
    middle = sure[len(sure) // 2]
    _, out, err = run(f"predict m.tenfold many --format jsonl --abstain {middle}")
    named = [json.loads(line)["predicted"] for line in out.splitlines()]
    unsure = sum(share < middle for share in sure)
    assert 0 < unsure < len(sure)
    assert named.count(None) == unsure
    assert f"{unsure} of 147 images: no class has a probability of " in err
    table = csv.DictReader(io.StringIO(run(f"predict m.tenfold many --abstain {middle}")[1]))
    assert [row["predicted"] for row in table].count("") == unsure
    assert run("predict m.tenfold many/001.png --abstain 1")[1].startswith("many/001.png: (abstains)  ")


@pytest.mark.parametrize(
    ("options", "why"),
    [("--format xml", "known: csv, jsonl, text"), ("--top 0", "--top"), ("--abstain 90", "--abstain")],
)
def test_what_cannot_be_asked_for_is_refused(run, options, why):
    code, out, err = run(f"predict m.tenfold many {options}")
    assert (code, out) == (2, "")
    assert why in err
