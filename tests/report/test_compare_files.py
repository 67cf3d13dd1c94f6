"""Tables of predictions that people can read, and runs on the files of one folder compared by those files."""

import csv
import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tenfold
from tenfold.errors import RunError
from tenfold.report.compare import compare_runs
from tenfold.report.write import report_runs
from tenfold.text import cell

CLASSES = ("=cat()", "dog", "+frog")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """120 pictures in three class folders whose names a spreadsheet takes for formulas, one of them there twice."""
    root, rng = tmp_path_factory.mktemp("photos") / "set", np.random.default_rng(0)
    for k, name in enumerate(CLASSES):
        (root / name).mkdir(parents=True)
        for n in range(40):
            pixels = rng.integers(0, 120, (24, 24, 3)) + 60 * np.eye(3, dtype=int)[k]
            Image.fromarray(pixels.astype(np.uint8)).save(root / name / f"{'-' * (n == 0)}{n:02}.png")
    shutil.copy(root / "dog" / "05.png", root / "dog" / "copy of 05.png")
    return root


@pytest.fixture(scope="module")
def runs(photos):
    made = {}
    for name, choices in {"small": {"size": 8}, "large": {"size": 16}, "pixels": {"size": 16, "model": "mlp"}}.items():
        made[name] = photos.parent / name
        tenfold.train(str(photos), epochs=3, audit=True, out=made[name], **choices)
    return made


def rows(folder, part="predictions.csv"):
    with (folder / part).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(("name", "part"), [("predictions.csv", "test"), ("validation-predictions.csv", "validation")])
def test_predictions_name_the_file_its_class_and_the_answer(runs, photos, name, part):
    table = rows(runs["small"], name)
    assert len(table) > 5
    answers, names = set(), sorted(CLASSES)
    for row in table:
        file = row["file"].removeprefix("'")
        assert row["part"] == part
        assert row["digest"] == hashlib.sha256(Path(file).read_bytes()).hexdigest()[:32]
        assert row["class"] == cell(Path(file).parent.name) == cell(names[int(row["label"])])
        answers.add(row["predicted class linear-softmax"])
        assert row["predicted class linear-softmax"] == cell(names[int(row["predicted linear-softmax"])])
    assert answers <= {"'=cat()", "dog", "'+frog"}
    assert not any(value[:1] in "=+-@" for row in table for value in row.values() if value)


def test_what_has_no_files_has_empty_cells(tmp_path):
    run = tenfold.train("digits", epochs=1, out=tmp_path / "run")
    first = rows(run.folder)[0]
    assert (first["file"], first["digest"], first["part"]) == ("", "", "test")
    assert first["class"] == first["label"]


def test_two_sizes_of_one_folder_are_compared_on_their_common_test_files(runs):
    compared = compare_runs(runs["small"], runs["large"])
    small, large = (
        {
            row["file"]: row["class"] == row[next(c for c in row if c.startswith("predicted class"))]
            for row in rows(folder)
        }
        for folder in (runs["small"], runs["large"])
    )
    shared = sorted(small.keys() & large.keys())
    assert compared["n"] == len(shared) > 5
    assert compared["first"]["accuracy"] == pytest.approx(np.mean([small[file] for file in shared]))
    assert compared["second"]["accuracy"] == pytest.approx(np.mean([large[file] for file in shared]))
    assert compared["notes"][0].startswith("the runs read their images differently (3×8×8 and 3×16×16)")
    assert compare_runs(runs["large"], runs["small"])["difference"] == -compared["difference"]


def test_a_folder_that_has_grown_and_moved_is_compared_too(runs, photos, tmp_path):
    """One more picture that comes first shifts every position; each file is still itself."""
    grown = shutil.copytree(photos, tmp_path / "elsewhere")
    noise = np.random.default_rng(9).integers(0, 255, (24, 24, 3)).astype(np.uint8)
    Image.fromarray(noise).save(grown / CLASSES[0] / "!first.png")
    tenfold.train(str(grown), epochs=3, size=8, seed=1, out=tmp_path / "grown")
    compared = compare_runs(runs["small"], tmp_path / "grown")
    digests = [{row["digest"] for row in rows(folder)} for folder in (runs["small"], tmp_path / "grown")]
    assert len(digests[0] & digests[1]) <= compared["n"] <= len(digests[0] & digests[1]) + 1


def test_models_of_one_folder_are_compared_by_position_as_before(runs):
    compared = compare_runs(runs["large"], runs["pixels"])
    assert compared["n"] == len(rows(runs["large"]))
    assert compared["notes"] == []


def test_other_pictures_are_refused_and_a_page_of_several_says_so(runs, tmp_path):
    rng = np.random.default_rng(5)
    for name in CLASSES:
        (tmp_path / "others" / name).mkdir(parents=True)
        for n in range(20):
            Image.fromarray(rng.integers(0, 255, (9, 9, 3)).astype(np.uint8)).save(
                tmp_path / "others" / name / f"{n}.png"
            )
    tenfold.train(str(tmp_path / "others"), epochs=1, out=tmp_path / "other")
    with pytest.raises(RunError, match=r"different data .* tested on no file in common"):
        compare_runs(runs["small"], tmp_path / "other")
    page = report_runs([runs["small"], runs["large"], tmp_path / "other"], tmp_path / "page.html").path.read_text()
    assert "Only runs that were tested on the same images are compared" in page
    assert "between small and large" in page or " beats " in page
