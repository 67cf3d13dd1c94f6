"""A report and `tenfold explain` show what predictions rest on, and leave it out where they cannot or must not."""

import json
import re
import shutil

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

import tenfold
from tenfold.cli import tenfold as command
from tenfold.engine.whitening import EPSILON
from tenfold.errors import DataError, FileError, RunError, UsageError
from tenfold.report.explain import MOST, explain_files
from tenfold.report.explained import explanations, first_layers
from tenfold.report.read import read_results
from tenfold.report.write import write_report
from tenfold.trained.model import load_model
from tenfold.trained.saliency import gradient_times_input

DIGITS = tenfold.load("digits")


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    choices = {"model": "convnet", "widths": [4, 6], "epochs": 2, "limit": 300, "batch_size": 50}
    return tenfold.train("digits", out=tmp_path_factory.mktemp("network") / "run", **choices).folder


@pytest.fixture(scope="module")
def pictures(network, tmp_path_factory):
    """Files of a training image and of others, by position."""
    folder = tmp_path_factory.mktemp("pictures")
    positions = [int(np.load(network / "splits.npz")["train"][5]), 40, 41]
    for position in positions:
        pixels = (DIGITS.images[position, 0].numpy() * (255 / 16)).round().astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{position:04}.png")
    return folder, positions


def test_a_run_leaves_figures_of_its_filters_and_of_the_evidence_for_its_mistakes(network):
    assert {"filters.svg", "explanations.svg"} <= {path.name for path in (network / "figures").iterdir()}
    results, trained = read_results(network), load_model(network / "model.tenfold")
    shown = explanations(trained, results, DIGITS)
    (rung,) = results.filters
    wrong = np.flatnonzero(results.predicted[rung] != results.labels)
    surest = wrong[np.argsort(-results.confidence[rung][wrong], kind="stable")][:8]
    assert shown.mistakes
    assert shown.true == tuple(DIGITS.class_names[k] for k in results.labels[surest])
    images, predicted = DIGITS.images[results.positions[surest]], torch.from_numpy(results.predicted[rung][surest])
    np.testing.assert_array_equal(shown.plain, gradient_times_input(trained, images, predicted).sum(1).numpy())
    assert not np.allclose(shown.smoothed, shown.plain)
    results.predicted[rung][:] = results.labels
    assert not explanations(trained, results, DIGITS).mistakes


def test_filters_that_whiten_are_shown_with_the_variance_along_them(network):
    trained = load_model(network / "model.tenfold")
    (layer,) = first_layers({"net": trained}).values()
    filters = trained.params["whiten.filters"][0].numpy()
    np.testing.assert_array_equal(layer.filters, filters[: len(filters) // 2])
    lengths = (layer.filters.astype(np.float64) ** 2).sum((1, 2, 3))
    np.testing.assert_allclose(1 / lengths, layer.variances + EPSILON, rtol=1e-9)
    assert (np.diff(layer.variances) <= 0).all()


def test_the_page_shows_maps_and_filters_and_without_images_no_maps(network, tmp_path):
    folder = shutil.copytree(network, tmp_path / "run")
    for name in ("explanations", "filters"):
        (folder / "figures" / f"{name}.svg").unlink()  # as a run of an older version left it
    private = write_report(folder, with_images=False).read_text(encoding="utf-8")
    assert "First-layer filters" in private
    assert "What answers rest on" not in private
    assert not (folder / "figures" / "explanations.svg").exists()
    page = write_report(folder).read_text(encoding="utf-8")
    assert "What answers rest on" in page
    assert "First-layer filters" in page
    again = (folder / "figures" / "explanations.svg").read_text(encoding="utf-8")
    assert again == (network / "figures" / "explanations.svg").read_text(encoding="utf-8")
    assert "What answers rest on" not in write_report(folder, with_images=False).read_text(encoding="utf-8")


def test_explain_writes_a_page_a_figure_for_each_image_and_one_line_of_json(network, pictures, tmp_path):
    folder, positions = pictures
    out = tmp_path / "deep" / "out"
    ran = CliRunner().invoke(command, ["explain", str(network), str(folder), "--out", str(out), "--json"])
    result = json.loads(ran.output.splitlines()[-1])
    assert [row["file"] for row in result["images"]] == sorted(str(path) for path in folder.iterdir())
    trained = load_model(network / "model.tenfold")
    for row in result["images"]:
        answer = trained.predict(row["file"])
        assert (row["predicted"], row["probability"]) == (answer.predicted, max(answer.probabilities.values()))
        assert set(row["deletion"]) == {"gradient × input", "smoothed", "occlusion"}
        assert (out / row["figure"].rpartition("/")[2]).read_text().startswith("<?xml")
    (own,) = (row for row in result["images"] if row["file"].endswith(f"{positions[0]:04}.png"))
    assert own["nearest"][0] == {"position": positions[0], "class": DIGITS.class_names[DIGITS.labels[positions[0]]]}
    page = (out / "explanation.html").read_text(encoding="utf-8")
    assert page.count("Nearest training images") == 3
    assert len(re.findall(r"random orders(?:, by|: this map may mean little)", page)) == 9
    plain = CliRunner().invoke(command, ["explain", str(network), str(folder), "--out", str(out)]).output
    assert plain.splitlines()[-1] == f"page  {out / 'explanation.html'}"


def test_a_model_without_its_run_or_without_pixels_is_tested_by_covering(pictures, tmp_path):
    folder, positions = pictures
    file = folder / f"{positions[0]:04}.png"
    run = tenfold.train("digits", epochs=1, features="patches", feature_count=8, out=tmp_path / "run")
    alone = shutil.copy(run.folder / "model.tenfold", tmp_path / "alone.tenfold")
    result = explain_files(alone, [file], tmp_path / "out")
    (row,) = result["images"]
    assert set(row["deletion"]) == {"occlusion"}
    assert row["nearest"] == []
    assert result["notes"] == [
        "no gradient maps: the model sees patches, and no gradient leads from these back to the pixels",
        "no nearest training images: the model lies in no run folder",
    ]
    assert not (run.folder / "figures" / "explanations.svg").exists()
    with pytest.raises(UsageError, match=r"--data digits: .*alone\.tenfold lies in no run folder"):
        explain_files(alone, [file], tmp_path / "out", data="digits")


def test_what_cannot_be_explained_is_one_plain_line(network, pictures, tmp_path):
    folder, positions = pictures
    file = folder / f"{positions[0]:04}.png"
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "taken").write_text("a file")
    (tmp_path / "empty").mkdir()
    for error, match, model, images in (
        (DataError, r"text\.png", network, [tmp_path / "text.png"]),
        (DataError, "holds no images", network, [tmp_path / "empty"]),
        (UsageError, "give that first", folder, [network]),
        (RunError, "not a run folder", tmp_path / "empty", [file]),
        (UsageError, f"{MOST + 1} images are too many", network, [file] * (MOST + 1)),
    ):
        with pytest.raises(error, match=match):
            explain_files(model, images, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(FileError, match=r"taken: cannot make this folder .*--out"):
        explain_files(network, [file], tmp_path / "taken")
    with pytest.raises(UsageError, match="neither a data set nor a folder"):
        explain_files(network, [file], tmp_path / "out", data="nowhere")
