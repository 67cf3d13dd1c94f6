"""Runs whose features are an autoencoder's codes leave figures of it."""

import numpy as np
import pytest

import tenfold
from tenfold.report.read import read_results
from tenfold.report.write import report_runs
from tenfold.runs.losses import read_losses


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("codes") / "run"
    coded = {"features": "codes", "encoder_hidden": (16, 4), "encoder_epochs": 3}
    tenfold.train("digits", limit=400, evaluate_every=5, epochs=2, out=str(folder), **coded)
    return folder


def test_it_draws_reconstructions_and_the_loss_of_the_encoder(run):
    assert {"encoder_loss.svg", "reconstructions.svg"} <= {path.name for path in (run / "figures").iterdir()}
    results = read_results(run)
    (loss,) = results.encoder_loss.values()
    assert loss.shape == (3, 2)
    assert loss[-1, 0] < loss[0, 0]
    assert results.reconstructions == {}  # the images are not in the folder, the figure is


def test_a_page_without_images_has_no_reconstructions(run, tmp_path):
    whole, private = (
        report_runs([run], tmp_path / f"{images}.html", with_images=images).path.read_text() for images in (True, False)
    )
    assert 'aria-label="reconstructions, figure"' in whole
    assert 'aria-label="reconstructions, figure"' not in private
    assert 'aria-label="encoder loss, figure"' in private


def test_it_counts_iterations_and_keeps_the_losses_of_its_mini_batches(run):
    results = read_results(run)
    assert results.time == "iteration"
    (rung,) = results.winners
    steps, losses = read_losses(run)[rung]
    np.testing.assert_array_equal(steps, np.arange(1, len(steps) + 1))
    first = results.curves["train_loss"][0]
    np.testing.assert_allclose(losses[:5].mean(), first, rtol=1e-6)  # the running mean over the same five steps
    text = (run / "figures/learning_curves.svg").read_text()
    assert ">iteration<" in text
    assert "single mini-batches" in text
