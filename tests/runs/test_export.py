"""Exports as a user asks for them: nothing unverified is left behind, and differences from the run are counted."""

import importlib.util
import json
import pickle

import numpy as np
import pytest
from PIL import Image

from tenfold import cli, files
from tenfold.rooms import names
from tenfold.trained.exports import numpy as numpy_export
from tenfold.trained.model import save_model
from tests.trained.exports.models import MODELS


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a model file and a folder of images of several sizes and modes, one of them broken."""
    save_model(tmp_path / "m.tenfold", MODELS["linear"]())
    (tmp_path / "photos").mkdir()
    for k, mode in enumerate(("RGB", "L", "RGBA", "CMYK")):
        pixels = np.random.default_rng(k).integers(0, 256, (20 + k, 12, 4), dtype=np.uint8)
        Image.fromarray(pixels, "RGBA").convert(mode).save(tmp_path / "photos" / f"{k}.{'jpg' if k > 2 else 'png'}")
    (tmp_path / "photos" / "broken.png").write_bytes(b"no")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(place, capfd):
    """`run("export m.tenfold")` in that folder: exit code, stdout, stderr."""

    def command(line):
        capfd.readouterr()
        return cli._run(line.split(), False), *capfd.readouterr()

    return command


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("word", names("exports"))
def test_an_export_is_verified_and_compared_to_the_run_on_a_folder(run, place, word):
    code, out, err = run(f"export m.tenfold --format {word} --out here/it --check photos --json")
    assert code == 0, err
    result = json.loads(out)
    assert (result["made"]["images"], result["made"]["others"], result["narrow"]) == (64, 0, None)
    check = result["check"]
    assert (check["agreement"]["images"], check["agreement"]["others"], check["unreadable"]) == (4, 0, 1)
    assert check["agreement"]["largest"] < 1e-5
    assert result["bytes"] > 5000
    assert [path.name for path in (place / "here").iterdir()] == ["it"], "no litter"
    code, _, err = run(f"export m.tenfold --format {word} --out here/it")
    assert (code, err) == (2, "tenfold: here/it: is there already; choose another --out, or replace it with --force\n")
    assert run(f"export m.tenfold --format {word} --out here/it --force")[0] == 0


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_export_that_answers_otherwise_is_counted_and_its_files_named(run, place):
    code, out, _ = run("export m.tenfold --format numpy")
    assert (code, out.splitlines()[0].partition(" ")[0]) == (0, "m-numpy")
    arrays = dict(np.load(place / "m-numpy" / "arrays.npz"))
    arrays["scores.bias"] = arrays["scores.bias"] + [50, 0, 0]
    np.savez(place / "m-numpy" / "arrays.npz", **arrays)
    code, out, _ = run("export m.tenfold --format numpy --check photos")
    assert code == 1
    assert "made images" not in out, "it is compared, not written again"
    assert "with another class" in out
    assert "another class: photos/" in out
    assert run("export m.tenfold --format numpy --check photos --force")[0] == 0


def test_what_does_not_answer_as_the_model_is_not_written(run, place, monkeypatch):
    monkeypatch.setitem(numpy_export._EXPRESSIONS, "linear", numpy_export._on("{x} @ {0}.T"))
    before = sorted(place.rglob("*"))
    code, out, err = run("export m.tenfold --format numpy")
    assert (code, out) == (1, "")
    assert "m-numpy: not written: on 64 made images" in err
    assert sorted(place.rglob("*")) == before


def test_a_run_in_bfloat16_is_told_from_its_export_in_float32(run, place):
    save_model(place / "narrow.tenfold", MODELS["mlp bfloat16"]())
    out = run("export narrow.tenfold --format numpy")[1]
    assert "64 made images: the same classes, probabilities within" in out
    assert "note: the run multiplies in bfloat16, the export in float32" in out


def test_unknown_formats_absent_extras_and_places_are_one_plain_line(run, place, monkeypatch):
    assert "did you mean 'onnx'? (known: numpy, onnx, torch)" in run("export m.tenfold --format onx")[2]
    assert run("export m.tenfold")[0] == 2
    assert (
        "photos: is a folder, which the export is not" in run("export m.tenfold --format onnx --out photos --force")[2]
    )
    assert "m.tenfold: not a folder; --check takes" in run("export m.tenfold --format numpy --check m.tenfold")[2]
    assert not (place / "m-numpy").exists()
    installed = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name.startswith("onnx") else installed(name))
    code, _, err = run("export m.tenfold --format onnx")
    assert (code, err) == (2, "tenfold: --format onnx needs onnx: run `pip install 'tenfold[onnx]'`\n")
    assert not (place / "m.onnx").exists()


def newer(path, monkeypatch):
    monkeypatch.setattr(files, "VERSION", 2)
    save_model(path, MODELS["linear"]())
    monkeypatch.setattr(files, "VERSION", 1)


def flipped(path, monkeypatch):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def cut(path, monkeypatch):
    path.write_bytes(path.read_bytes()[:-9])


def pickled(path, monkeypatch):
    path.write_bytes(pickle.dumps({"weights": [1.0] * 99}))


@pytest.mark.parametrize("command", ["predict bad.tenfold photos/0.png", "export bad.tenfold --format numpy"])
@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (newer, "written in format version 2, this release reads 1"),
        (flipped, "is damaged (its SHA-256 does not match); restore"),
        (cut, "cut short"),
        (pickled, "not a tensor file, or cut short"),
    ],
)
def test_a_model_file_that_is_none_is_refused(run, place, command, spoil, why, monkeypatch):
    save_model(place / "bad.tenfold", MODELS["linear"]())
    spoil(place / "bad.tenfold", monkeypatch)
    code, out, err = run(command)
    assert (code, out) == (1, "")
    assert why in err
    assert err.startswith("tenfold: bad.tenfold: ")
    assert err.count("\n") == 1
