"""The command line as people and machines meet it: one plain line for what is wrong, one JSON object for the rest."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tenfold
from tenfold import cli
from tenfold.errors import FileError, UsageError
from tenfold.runs.folder import FORMAT
from tenfold.trained.model import load_model
from tests.processes import Moment, started

QUICK = ("--epochs", "1")


def picture(path, mode="RGB", side=8, seed=0):
    """Dark on the left for even seeds, on the right for odd ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 60, (side, side, 3), dtype=np.uint8)
    pixels[:, (side // 2) * (seed % 2) : side // 2 * (1 + seed % 2)] += 150
    Image.fromarray(pixels).convert(mode).save(path)


def pictures(root, mode="RGB", classes=("cat", "dog"), count=12, side=8):
    for label, name in enumerate(classes):
        for k in range(count):
            picture(root / name / f"{k:02}.png", mode, side, 2 * k + label)
    return root


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A working folder with data of all sorts, good and bad, and a finished run on the good ones."""
    root = tmp_path_factory.mktemp("world")
    pictures(root / "good")
    pictures(root / "grey", "L")
    pictures(root / "one", classes=("cat",))
    pictures(root / "parts" / "train")
    pictures(root / "parts" / "test", count=5)
    (pictures(root / "broken") / "dog" / "03.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    (pictures(root / "lacking") / "eel").mkdir()
    (root / "empty").mkdir()
    (root / "words.txt").write_text("words")
    x, y = np.random.default_rng(0).random((90, 5), dtype=np.float32), np.arange(90) % 3
    np.savez(root / "flat.npz", x=x, y=y)
    np.savez(root / "nan.npz", x=np.where(np.arange(450).reshape(90, 5) == 7, np.nan, x), y=y)
    np.savez(root / "count.npz", x=x, y=y[:-1])
    (root / "cut.npz").write_bytes((root / "flat.npz").read_bytes()[:700])
    here = Path.cwd()
    os.chdir(root)
    try:
        assert cli._run(["train", "good", *QUICK, "--out", "run", "--json"], False) == 0
        assert cli._run(["train", "flat.npz", *QUICK, "--out", "flat", "--json"], False) == 0
    finally:
        os.chdir(here)
    return root


@pytest.fixture
def run(world, monkeypatch, capfd):
    """`run("data list")` in the world: exit code, stdout, stderr."""
    monkeypatch.chdir(world)

    def command(line):
        capfd.readouterr()
        code = cli._run(line.split() if isinstance(line, str) else list(line), False)
        return code, *capfd.readouterr()

    return command


@pytest.fixture
def result(run):
    """The JSON object that a command ends with; it must succeed."""

    def command(line):
        code, out, err = run(f"{line} --json" if isinstance(line, str) else [*line, "--json"])
        assert code == 0, err
        return json.loads(out.splitlines()[-1])

    return command


# What is wrong is told in one line

WRONG = [
    # unknown words, with the nearest known one
    ("fitt digits", 2, "fitt", "'fit'"),
    ("fit digitz", 2, "digitz", "'digits'"),
    ("fit digits --minuts 3", 2, "--minuts", "'--minutes'"),
    ("train digits --learning-rte 3", 2, "--learning-rte", "'--learning-rate'"),
    ("train digits --model liner", 2, "liner", "'linear'"),
    ("train digits --loss sofmax", 2, "sofmax", "'softmax'"),
    ("train digits --initializer hee", 2, "hee", "'he'"),
    ("train digits --optimizer adm", 2, "adm", "'adam'"),
    ("train digits --schedule cosin", 2, "cosin", "'cosine'"),
    ("train digits --standardize pixle", 2, "pixle", "'pixel'"),
    ("train digits --activation relo", 2, "activation", "relu"),
    ("train digits --precision float16", 2, "float16", "bfloat16"),
    ("train digits --device gpu", 2, "gpu", "cuda"),
    ("data lst", 2, "lst", "'list'"),
    ("evaluate run good --part tset", 2, "tset", "'test'"),
    # values that cannot be
    ("fit digits extra", 2, "extra"),
    ("fit digits --minutes 0", 2, "minutes", "greater than 0"),
    ("fit digits --minutes soon", 2, "minutes", "soon"),
    ("train", 2, "tenfold train digits"),
    ("train digits --epochs 0", 2, "epochs", "1"),
    ("train digits --epochs 1,2", 2, "epochs", "one value"),
    ("train digits --batch-size 0", 2, "batch_size"),
    ("train digits --learning-rate nan", 2, "learning_rate", "finite"),
    ("train digits --learning-rate 0.1,0.1", 2, "learning_rate", "once"),
    ("train digits --hidden 64-x", 2, "hidden", "256-128-64"),
    ("train digits --flip 2", 2, "flip", "1"),
    ("fit digits --flip 0,0.5", 2, "flip", "one value in a fit"),
    ("sweep digits --find-learning-rate --flip 0,0.5", 2, "flip", "one value"),
    ("train digits --momentum 1", 2, "momentum", "less than 1"),
    ("train digits --seed -1", 2, "seed", "0"),
    ("train digits --rows 5:2", 2, "rows 5:2", "0:1797"),
    ("train digits --limit 100000", 2, "limit", "1438"),
    ("train digits --validation 0.99999", 1, "train part", "more images"),
    ("train digits --size 16", 2, "size", "digits"),
    ("train good --size 100000", 2, "size", "1024"),
    ("train --recipe nowhere.toml", 2, "nowhere.toml", "no such"),
    ("train --recipe words.txt", 2, "words.txt", "TOML"),
    ("train digits --model mlp --hidden 1000000-1000000 --out huge", 1, "out of memory", "--hidden"),
    ("train digits --model mlp --hidden 1000000000", 2, "hidden", "1000000"),
    # data that cannot be used
    ("train one", 1, "one", "'cat'", "at least two"),
    ("train empty", 1, "empty", "one folder of images for each class"),
    ("train lacking", 1, "lacking/eel", "no images"),
    ("train broken", 1, "broken/dog/03.png", "--skip-unreadable"),
    ("train words.txt", 2, "words.txt", "neither a folder"),
    ("train nan.npz", 1, "nan.npz", "'x'", "(1, 2)"),
    ("train count.npz", 1, "90 images", "89 labels"),
    ("train cut.npz", 1, "cut.npz", "damaged"),
    ("data info mnist --data-dir words.txt", 2, "--data-dir", "words.txt"),
    # models, runs and places
    ("evaluate nowhere good", 1, "nowhere", "run folder or a model file"),
    ("evaluate empty good", 1, "empty", "not a run folder"),
    ("evaluate words.txt good", 1, "words.txt", "not a model", "model.tenfold"),
    ("predict run/recipe.toml good/cat/00.png", 1, "run/recipe.toml", "not a model; give its run folder, run"),
    ("predict run/metrics.csv good", 1, "run/metrics.csv", "not a model; give its run folder, run"),
    ("predict good/cat/00.png run", 2, "good/cat/00.png", "but run is: give that first"),
    ("predict good run/model.tenfold", 2, "good", "but run/model.tenfold is: give that first"),
    ("predict nowhere.png run", 2, "nowhere.png", "but run is: give that first"),
    ("evaluate good run", 2, "good", "but run is: give that first"),
    ("evaluate digits run", 2, "digits", "but run is: give that first"),
    ("predict run flat", 2, "flat", "a run or a model, not images"),
    ("predict . good", 1, "not a run folder", "give one of the models in it, such as run"),
    ("predict run good/*.jpg", 1, "good/*.jpg", "no file fits"),
    ("evaluate run digits", 1, "digits", "class '0'"),
    ("evaluate run flat.npz", 1, "flat", "class '0'", "cat, dog"),
    ("predict run", 2, "IMAGES"),
    ("predict run nowhere.png", 1, "nowhere.png", "No such file"),
    ("predict run words.txt", 1, "words.txt", "not a readable image"),
    ("predict run words.txt --skip-unreadable", 1, "words.txt", "1 of 1"),
    ("predict run empty", 1, "empty", "no images"),
    ("predict flat good/cat/00.png", 2, "flat", "(1, 1, 5)"),
    ("resume nowhere", 1, "nowhere", "not a run folder"),
    ("resume good", 1, "good", "not a run folder"),
    ("train good --out run", 1, "run", "tenfold resume run"),
    ("train good --out good", 1, "good", "--out"),
    ("train good --out words.txt", 1, "words.txt", "--out"),
    ("train good --out words.txt/below/it", 1, "words.txt", "--out"),
]


@pytest.mark.parametrize(("line", "code", "words"), [(line, code, words) for line, code, *words in WRONG])
def test_what_is_wrong_is_told_in_one_line(run, world, line, code, words):
    before = sorted(path for path in world.rglob("*") if "huge" not in path.parts and path.name != "runs")
    got, out, err = run(line)
    assert (got, out) == (code, "")
    assert err.startswith("tenfold: ")
    assert err.count("\n") == 1
    assert "--debug" not in err
    for word in words:
        assert word in err
    assert sorted(path for path in world.rglob("*") if "huge" not in path.parts and path.name != "runs") == before


def test_an_error_is_json_too(run):
    code, out, err = run("train digits --model liner --json")
    error = json.loads(out.splitlines()[-1])["error"]
    assert error["code"] == code == 2
    assert err == f"tenfold: {error['message']}\n"


def test_a_traceback_only_for_who_asks(world, monkeypatch, capfd):
    monkeypatch.chdir(world)
    assert cli._run(["train", "one"], True) == 1
    assert "Traceback" in capfd.readouterr().err


def test_bare_commands_show_their_help(run):
    for line in ("", "data"):
        code, _, err = run(line)
        assert code == 2
        assert "Commands:" in err


def test_hostile_words_do_not_reach_the_terminal(run):
    code, _, err = run(["evaluate", "run\x1b[31m\n\u202e", "good"])
    assert code == 1
    assert err == "tenfold: run\\x1b[31m \\u202e: not found; expected a run folder or a model file\n"


@pytest.mark.parametrize("choices", [{"learning_rat": 1}, {"minutes": -1}, {"epochs": 1.5}, {"learning_rate": []}])
def test_the_library_refuses_in_the_same_words(choices):
    with pytest.raises(UsageError, match=r"learning_rate|minutes|epochs"):
        tenfold.train("digits", **choices)


# Runs

FIT = {"run", "model", "best", "validation", "test", "rungs", "seconds"}
RUNG = {"rung", "members", "validation_accuracy", "test_accuracy", "seconds"}
MEMBER = {"settings", "train", "validation", "test", "weights_sha256", "failed"}


def test_what_fit_prints(result, world, tmp_path):
    found = result(f"fit good --minutes 0.01 --out {tmp_path / 'not' / 'yet'}")
    assert found.keys() >= FIT
    assert Path(found["model"]).is_file()
    assert found["best"].keys() >= {"rung", "settings"}
    assert found["test"].keys() >= {"accuracy", "interval", "macro_f1", "n"}
    assert found["test"]["interval"][0] <= found["test"]["accuracy"] <= found["test"]["interval"][1]
    assert all(rung.keys() >= RUNG and rung["members"] >= 16 for rung in found["rungs"])
    chosen = max(found["rungs"], key=lambda rung: rung["validation_accuracy"])
    assert (chosen["rung"], chosen["validation_accuracy"]) == (found["best"]["rung"], found["validation"]["accuracy"])
    assert result(["resume", found["run"]]) == found


def test_what_train_prints_and_that_its_recipe_repeats_it(result, tmp_path):
    words = "--model mlp --hidden 8-6 --learning-rate 0.01,0.1 --epochs 2 --dropout 0.2 --class-weight balanced"
    found = result(f"train good {words} --out {tmp_path / 'a'}")
    assert found.keys() >= {"run", "members", "seconds", "images_per_second"}
    assert [member["settings"]["learning_rate"] for member in found["members"]] == [0.01, 0.1]
    for member in found["members"]:
        assert member.keys() >= MEMBER
        assert all(member[part].keys() >= {"loss", "cost", "accuracy"} for part in ("train", "validation", "test"))
        assert member["failed"] is None
    again = result(f"train --recipe {tmp_path / 'a' / 'recipe.toml'} --out {tmp_path / 'b'}")
    digests = [[member["weights_sha256"] for member in found["members"]] for found in (found, again)]
    assert digests[0] == digests[1]
    assert len({*digests[0]}) == 2
    assert (tmp_path / "a/metrics.csv").read_bytes() == (tmp_path / "b/metrics.csv").read_bytes()


def test_members_that_fail_are_named(result, run, tmp_path):
    found = result(f"train digits --model mlp --learning-rate 0.1,1e30 --epochs 2 --out {tmp_path / 'run'}")
    fates = [member["failed"] for member in found["members"]]
    assert fates[0] is None
    assert fates[1].keys() == {"step", "layer", "tensor"}
    code, out, _ = run(["resume", str(tmp_path / "run")])
    assert code == 0
    assert "failed in step" in out


def test_a_population_that_diverges_is_an_error(run, tmp_path):
    code, out, err = run(f"train digits --model mlp --learning-rate 1e30 --epochs 2 --out {tmp_path / 'run'}".split())
    assert (code, out) == (1, "")
    last = err.splitlines()[-1]
    assert last.startswith("tenfold: every member diverged: no loss stayed finite with learning rate 1e30; try ")


def test_a_run_folder_may_have_any_name(run, result, tmp_path):
    try:
        (tmp_path / "\udcff").mkdir()
    except (OSError, UnicodeError):
        pytest.skip("this file system refuses names that are no UTF-8")
    folder = str(tmp_path / "\udcff" / "a 'b'")
    assert result(["train", "good", *QUICK, "--out", folder])["run"] == folder
    assert result(["resume", folder])["run"] == folder
    assert run(["resume", folder])[0] == 0


def test_parts_of_a_folder_are_kept(result):
    assert result("data info parts")["parts"] == {"train": 24, "test": 10}


def test_broken_images_are_counted_where_that_is_asked_for(result, tmp_path):
    found = result(f"train broken {' '.join(QUICK)} --skip-unreadable --out {tmp_path / 'run'}")
    assert any("1 unreadable" in note and "03.png" in note for note in found["notes"])


@pytest.fixture
def half(world, tmp_path):
    """A run as a kill leaves it: its status says running, nothing is finished, and a save was under way."""
    folder = tmp_path / "half"
    tenfold.train(str(world / "good"), epochs=1, out=folder)
    (folder / "status.json").write_text(json.dumps({"format": FORMAT, "state": "running"}))
    (folder / "result.json").unlink()
    (folder / "models" / ".tenfold-0123456789abcdef.tmp").write_bytes(b"half")
    return folder


def test_resume_sweeps_what_a_killed_save_left(half, result):
    found = result(["resume", str(half)])
    assert json.loads((half / "status.json").read_text())["state"] == "finished"
    assert not list(half.rglob("*.tmp"))
    assert tenfold.resume(str(half)).result == found


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("status.json", '{"format": 99, "state": "finished"}', "another version"),
        ("status.json", "{", "not JSON"),
        ("status.json", "[1]", "'format'"),
        ("env.json", "{}", "'threads'"),
        ("resolved.json", "[]", "'recipe'"),
        ("recipe.toml", "epochz = 1", "'epochs'"),
    ],
)
def test_a_folder_of_another_sort_is_refused(half, run, file, content, words):
    (half / file).write_text(content)
    code, out, err = run(["resume", str(half)])
    assert code in (1, 2)
    assert out == ""
    assert words in err
    assert str(half / file) in err or str(half) in err
    assert "unexpected" not in err
    assert not (half / "result.json").exists()


def test_a_full_disk_leaves_no_litter_and_a_run_that_goes_on(world, tmp_path, monkeypatch, result):
    from tenfold import files

    write = files.write_atomically

    def full(path, fill, size=0):
        if path.name == wanted:
            raise FileError(f"{path}: cannot be written, the disk is full")
        write(path, fill, size)

    monkeypatch.setattr(files, "write_atomically", full)
    wanted = "env.json"
    with pytest.raises(FileError, match="disk is full"):
        tenfold.train(str(world / "good"), epochs=1, out=tmp_path / "none")
    assert list(tmp_path.iterdir()) == []
    wanted = "result.json"
    with pytest.raises(FileError, match=r"disk is full; then continue with `tenfold resume"):
        tenfold.train(str(world / "good"), epochs=1, out=tmp_path / "run")
    assert json.loads((tmp_path / "run" / "status.json").read_text())["state"] == "failed"
    wanted = ""
    assert result(["resume", str(tmp_path / "run")])["members"][0]["failed"] is None


# Evaluate and predict


def test_evaluate_scores_the_parts_of_the_run(result, world):
    made = json.loads((world / "run" / "result.json").read_text())["members"][0]
    for part in ("train", "validation", "test"):
        found = result(f"evaluate run good --part {part}")
        assert found["same_data"]
        assert found["accuracy"] == pytest.approx(made[part]["accuracy"])
    assert result("evaluate run/model.tenfold good") == {**found, "model": "run/model.tenfold"}
    assert result("evaluate run good --part all")["n"] == 24


def test_evaluate_converts_channels_and_says_so(result, tmp_path, run):
    assert "1 channels to 3" in str(result("evaluate run grey")["notes"])
    result(f"train grey {' '.join(QUICK)} --out {tmp_path / 'grey'}")
    found = result(f"evaluate {tmp_path / 'grey'} good")
    assert "3 channels to 1" in str(found["notes"])
    assert run(f"evaluate {tmp_path / 'grey'} good")[1].splitlines()[0] == "data        good, all"


def test_predict_gives_a_csv_for_a_folder_that_agrees_with_evaluate(run, result, world):
    code, out, err = run("predict run good")
    assert code == 0
    assert "of 24 images were in the model's training" in err
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["file"] for row in rows] == sorted(str(p) for p in (Path("good")).rglob("*.png"))
    assert all(float(row["cat"]) + float(row["dog"]) == pytest.approx(1, abs=1e-5) for row in rows)
    right = sum(row["predicted"] == Path(row["file"]).parent.name for row in rows)
    assert right / len(rows) == result("evaluate run good --part all")["accuracy"]
    told = result("predict run good")
    assert [row["predicted"] for row in told["predictions"]] == [row["predicted"] for row in rows]
    assert told["class_names"] == ["cat", "dog"]


def test_predict_takes_every_mode_and_counts_what_it_leaves_out(run, result, tmp_path):
    for mode, ending in (("L", "png"), ("RGBA", "png"), ("CMYK", "jpg"), ("P", "gif"), ("1", "png")):
        picture(tmp_path / f"{mode}.{ending}", mode, side=20)
    Image.fromarray(np.full((9, 5), 40_000, np.uint16)).save(tmp_path / "sixteen.png")
    rotated = Image.Exif()
    rotated[0x112] = 6
    Image.new("RGB", (9, 5)).save(tmp_path / "rotated.jpg", exif=rotated)
    (tmp_path / "broken.png").write_bytes(b"no")
    (tmp_path / ".hidden.png").write_bytes(b"no")
    (tmp_path / "words.txt").write_text("no")
    found = result(["predict", "run", str(tmp_path), "--skip-unreadable"])
    assert len(found["predictions"]) == 7
    assert "1 of 8 images" in found["notes"][0]
    assert any(note.startswith("2 images: not square, cropped and resized to 8 × 8") for note in found["notes"])
    assert any(note.startswith("2 entries ignored") for note in found["notes"])
    code, out, _ = run(["predict", "run", str(tmp_path / "L.png"), str(tmp_path / "sixteen.png")])
    assert code == 0
    assert [line.split(": ")[0] for line in out.splitlines()] == [str(tmp_path / n) for n in ("L.png", "sixteen.png")]


HOSTILE = ("<script>", '"q"', "😀", "\u202egnp", "a\x1b[31m", "new\nline", "-x", "n" * 250, "\udcff")


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_predict_survives_hostile_names(run, result, world, tmp_path, name):
    try:
        (tmp_path / f"{name}.png").write_bytes((world / "good/cat/00.png").read_bytes())
    except (OSError, UnicodeError):
        pytest.skip("this file system refuses the name")
    code, out, err = run(["predict", "run", str(tmp_path)])
    assert code == 0
    assert err.count("\n") == 1
    assert len(out.splitlines()) == 2
    assert not {"\x1b", "\u202e"} & set(out + err)
    assert result(["predict", "run", str(tmp_path)])["predictions"][0]["file"] == str(tmp_path / f"{name}.png")


@pytest.mark.parametrize("pattern", ["good/*/0?.png", "good/**/0[0-9].png", "./good/[cd]*/0?.png"])
def test_predict_takes_quoted_patterns(run, world, pattern):
    code, out, _ = run(["predict", "run", pattern])
    assert code == 0
    files = [line.split(": ")[0].removeprefix("./") for line in out.splitlines()]
    assert files == [f"good/{name}/{k:02}.png" for name in ("cat", "dog") for k in range(10)]


def test_a_name_with_marks_of_a_pattern_is_a_name_where_it_exists(run, world, tmp_path):
    for name in ("a[1].png", "a1.png"):
        (tmp_path / name).write_bytes((world / "good/cat/00.png").read_bytes())
    assert run(["predict", "run", str(tmp_path / "a[1].png")])[1].startswith(str(tmp_path / "a[1].png"))


@pytest.mark.parametrize(
    ("listed", "names"),
    [
        ("good/cat/00.png\ngood/cat/01.png\n", ["good/cat/00.png", "good/cat/01.png"]),
        ("good/cat/00.png\r\n\r\ngood/cat/01.png", ["good/cat/00.png", "good/cat/01.png"]),
        ("good/cat/00.png\0good/two\nlines.png\0", ["good/cat/00.png", "good/two lines.png"]),
        ("good/a b'.png\n", ["good/a b'.png"]),
    ],
)
def test_predict_reads_names_from_standard_input(world, tmp_path, listed, names):
    for name in ("good/cat/00.png", "good/cat/01.png", "good/two\nlines.png", "good/a b'.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((world / "good/cat/00.png").read_bytes())
    done = tenfold_process(f"predict {world / 'run'} -", tmp_path, input=listed)
    assert done.returncode == 0, done.stderr
    assert [line.split(": ")[0] for line in done.stdout.splitlines()] == names


@pytest.mark.parametrize("redirect", ["</dev/null", "<&-"])
def test_a_list_of_no_names_is_said_to_be_one(world, redirect):
    done = tenfold_process(f"predict run - {redirect}", world)
    assert (done.returncode, done.stdout) == (1, "")
    assert "standard input (-): names no images" in done.stderr


def test_what_becomes_of_unequal_sides_is_said(run, world, tmp_path):
    """Wherever a size is told."""
    pictures(tmp_path / "data", count=10)
    for k in range(3):
        Image.new("RGB", (20, 10), (40 * k, 9, 9)).save(tmp_path / "data" / "cat" / f"wide{k}.png")
    said = "3 images of unequal sides cropped to their center"
    place, folder = str(tmp_path / "data"), str(tmp_path / "run")
    code, out, _ = run(["fit", place, "--minutes", "0.02", "--out", folder])
    assert code == 0
    assert f"resized to 8 × 8, {said}" in out
    assert said in (tmp_path / "run" / "report.html").read_text()
    assert said in (tmp_path / "run" / "model.md").read_text()
    assert run(["data", "info", place])[1].count(said) == 2
    assert f"3 × 8 × 8, {said}" in run(["audit", place, "--out", str(tmp_path / "audit.html")])[1]
    assert "3 cropped to their center" in (tmp_path / "audit.html").read_text()
    assert "1 image: not square, cropped and resized to 8 × 8" in run(["predict", folder, f"{place}/cat/wide0.png"])[2]


def test_the_model_of_a_run_is_the_library_s_too(world):
    model = load_model(world / "run" / "model.tenfold")
    assert model.class_names == ("cat", "dog")
    assert model.image_shape == (3, 8, 8)


# Processes


def tenfold_process(line, world, **options):
    program = f"{sys.executable} -m tenfold {line}"
    return subprocess.run(program, shell=True, capture_output=True, text=True, cwd=world, **options)


@pytest.mark.parametrize(
    ("line", "code", "err"),
    [
        ("predict run grey | head -1 | grep -q file,predicted", 0, ""),
        ("data list >&-", 0, ""),
        ("data list --json >/dev/full", 1, "tenfold: the output: No space left on device\n"),
        ("data info digitz 2>&- >/dev/null <&-", 2, ""),
    ],
)
def test_streams_that_are_closed_or_full(world, line, code, err):
    if "/dev/full" in line and not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    done = tenfold_process(line, world)
    assert (done.returncode, done.stderr) == (code, err)


def test_help_is_whole_and_needs_no_torch():
    """How quick it is, benchmarks/bench_moments.py measures."""
    program = """
import sys
from tenfold import cli
for command in ([], ["fit"], ["train"], ["resume"], ["evaluate"], ["predict"], ["data"]):
    assert cli._run([*command, "--help"], False) == 0, command
    assert "torch" not in sys.modules, command
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.count("Usage: tenfold") == 7


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("TENFOLD_PRODUCTS", "blas", "TENFOLD_PRODUCTS=blas"), ("TENFOLD_DATA", "words.txt", "TENFOLD_DATA: words.txt")],
)
def test_a_wrong_environment_is_named(world, name, value, words):
    line = "train good --out never" if name == "TENFOLD_PRODUCTS" else "data list"
    done = tenfold_process(line, world, env={**os.environ, name: value})
    assert done.returncode == 2
    assert words in done.stderr
    assert not (world / "never").exists()


def test_ctrl_c_leaves_the_best_so_far_and_says_how_to_go_on(tmp_path):
    folder = tmp_path / "a run"
    moment = Moment(tmp_path / "moment", "models/linear-hinge.tenfold", number=signal.SIGINT)
    process = started("fit", "digits", "--out", str(folder), moment=moment)
    out, err = process.communicate()
    assert (process.returncode, out) == (130, "")
    best = f"the best so far is {folder / 'model.tenfold'}, its report {folder / 'report.html'}"
    assert err.splitlines()[-1] == f"tenfold: stopped; {best}; continue with `tenfold resume '{folder}'`"
    assert load_model(folder / "model.tenfold").cause["validation"]["accuracy"] > 0.5
    assert json.loads((folder / "status.json").read_text())["state"] == "interrupted"
    left = json.loads((folder / "result.json").read_text())
    assert (left["state"], left["part"], left["test"]) == ("interrupted", "validation", None)
    assert not (folder / "predictions.csv").exists()  # nobody looked at the test images
    assert "validation images" in (folder / "report.html").read_text()
