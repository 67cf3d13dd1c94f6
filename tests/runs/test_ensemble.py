"""The ensemble of a run: one model file, kept where validation says so, that answers like any other model."""

import json

import pytest
import torch

import tenfold
from tenfold.cli import main
from tenfold.report.case import read_case
from tenfold.report.tables import ladder
from tenfold.report.write import write_report
from tenfold.runs import fit
from tenfold.runs.predict import evaluate_model
from tenfold.trained.model import load_model, members_of, probabilities, save_model, shares
from tenfold.trained.model import scores as scores_of_images

# Members of few epochs that differ in their first weights: each errs elsewhere, their mean errs less.
CHOICES = {"model": "mlp", "hidden": (16,), "learning_rate": 0.03, "init_seed": tuple(range(8)), "epochs": 4}


@pytest.fixture(scope="module")
def gathered(tmp_path_factory):
    said = []
    folder = tmp_path_factory.mktemp("runs") / "run"
    watch = lambda event: said.append(event.message)  # noqa: E731
    return tenfold.train("digits", out=folder, watch=watch, validation=400, ensemble=True, **CHOICES), said


def test_an_ensemble_of_a_population_is_kept_and_said(gathered):
    run, said = gathered
    assert run.result["best_rung"] == "ensemble"
    assert any(text.startswith("ensemble: kept. ensemble beats mlp-softmax/") for text in said)
    best = max(member["validation"]["accuracy"] for member in run.result["members"])
    assert run.result["validation"]["accuracy"] > best
    assert run.result["test"]["accuracy"] > max(member["test"]["accuracy"] for member in run.result["members"])
    write_report(run.folder)
    report, card = ((run.folder / name).read_text() for name in ("report.html", "model.md"))
    assert "members and their shares" in report
    shown = [row.validation for row in ladder(read_case(run.folder))]  # of the best member, and of the ensemble
    assert shown == [best, run.result["validation"]["accuracy"]]
    assert "mean of 0." in card
    assert "shares of the mean were selected by validation accuracy" in card


def test_its_file_answers_as_the_mean_of_its_members_does(gathered, tmp_path):
    run, _ = gathered
    trained, images = load_model(run.folder / "model.tenfold"), tenfold.load("digits").images[:100]
    parts = trained.model.parts
    assert sum(part.weight for part in parts) == pytest.approx(1)
    wanted = torch.zeros(100, 10, dtype=torch.float64)
    for part, member in zip(parts, members_of(trained), strict=True):
        path = tmp_path / "member.tenfold"
        save_model(path, member)  # a member is a model of its own
        wanted += part.weight * shares(scores_of_images(load_model(path), images), part.loss, part.temperature)
    torch.testing.assert_close(scores_of_images(trained, images).softmax(-1), wanted)
    tempered = (wanted.log() / trained.temperature).softmax(-1)
    torch.testing.assert_close(probabilities(trained, images), tempered)


def test_evaluate_report_and_compare_take_it_like_any_other(gathered, capsys):
    run, _ = gathered
    scored = evaluate_model(run.folder, "digits", "", "")
    assert scored["accuracy"] == run.result["test"]["accuracy"]
    with pytest.raises(SystemExit) as ended:
        main(["compare", str(run.folder), str(run.folder), "--json"])
    assert not ended.value.code
    assert json.loads(capsys.readouterr().out.splitlines()[-1])


def test_members_that_say_the_same_make_no_ensemble(tmp_path):
    choices = {"model": "linear", "initializer": "zero", "l2": (0.0, 1e-12), "epochs": 2, "ensemble": True}
    run = tenfold.train("digits", out=tmp_path / "run", **choices)
    assert run.result["best_rung"] == "linear-softmax"
    assert not (run.folder / "models" / "ensemble.tenfold").exists()


def test_a_fit_tries_an_ensemble_over_its_rungs_and_leaves_no_members_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(fit, "LADDER", fit.LADDER[:2])
    monkeypatch.setattr(fit, "LEAST", 60)
    run = tenfold.fit("digits", out=tmp_path / "run", minutes=100)
    rungs = [rung["rung"] for rung in run.result["rungs"]]
    kept = "ensemble" in rungs
    assert kept != ("ensemble" in run.result["left_out"])
    assert run.model.cause["rung"] == ("ensemble" if kept else run.result["best_rung"])
    assert not (run.folder / "models" / "members").exists()
