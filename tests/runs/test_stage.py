"""What a run makes of its members: who is best, what is saved, what a late failure or a late signal changes."""

import csv
import json
import signal

import pytest
import torch

import tenfold
from tenfold.errors import Interrupted, RunError, UsageError
from tenfold.runs import fit, stage
from tenfold.runs.outcome import winner
from tenfold.runs.predict import evaluate_model
from tenfold.trained.evaluate import evaluate

pytestmark = pytest.mark.usefixtures("unpublished")


@pytest.fixture
def poisoned(monkeypatch):
    """From the fifth validation on, the member that is best so far has weights that are not numbers."""
    plain = stage._validate

    def validate(run, stage, population, batches, at):
        at = plain(run, stage, population, batches, at)
        if at.validations == 5:
            at.state.params["scores.weight"][winner(at)] = torch.nan
        return at

    monkeypatch.setattr(stage, "_validate", validate)


@pytest.mark.parametrize("patience", [0, 20])
def test_a_winner_that_fails_late_has_no_numbers_and_is_not_best(patience, poisoned, tmp_path):
    run = tenfold.train("digits", learning_rate=[0.01, 0.1], epochs=8, patience=patience, out=tmp_path / "run")
    failed = [member for member in run.result["members"] if member["failed"]]
    assert [member["test"]["accuracy"] for member in failed] == [None]
    assert not run.result["members"][run.result["best"]]["failed"]
    assert run.model.cause["member"] == run.result["best"]


@pytest.mark.parametrize("choices", [{}, {"patience": 3}, {"validation": 0.5}, {"loss": ["softmax", "hinge"]}])
def test_a_population_that_diverges_is_an_error_and_leaves_no_model(choices, tmp_path):
    with pytest.raises(RunError, match=r"every member diverged.*from 1e30 to 1e35; try --learning-rate 1e28$"):
        tenfold.train(
            "digits", model="mlp", hidden=[8], learning_rate=[1e30, 1e35], epochs=2, out=tmp_path / "run", **choices
        )
    assert json.loads((tmp_path / "run" / "status.json").read_text())["state"] == "failed"
    assert not list((tmp_path / "run").rglob("*model*.tenfold"))
    assert not (tmp_path / "run" / "result.json").exists()


def test_members_that_failed_have_no_accuracy_in_any_output(tmp_path):
    choices = {"model": "mlp", "hidden": [8], "learning_rate": [1e35, 0.1], "epochs": 3}
    run = tenfold.train("digits", out=tmp_path / "run", **choices)
    assert run.result["best"] == 1
    assert run.model.cause["member"] == 1
    (failed,) = (member for member in run.result["members"] if member["failed"])
    assert all(value is None for part in ("train", "validation", "test") for value in failed[part].values())
    with (tmp_path / "run" / "metrics.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["member"] == "0"]
    assert rows
    assert not any(row[name] for row in rows for name in row if "accuracy" in name or "macro" in name)


def test_without_validation_images_a_failed_member_is_not_best(tmp_path):
    choices = {"model": "mlp", "hidden": [8], "learning_rate": [1e35, 0.1], "epochs": 3, "validation": 1}
    run = tenfold.train("digits", out=tmp_path / "run", **choices)
    assert run.model.cause["member"] == 1


def test_the_model_of_fit_is_the_one_that_its_result_names(poisoned, monkeypatch, tmp_path):
    monkeypatch.setattr(fit, "LADDER", (fit.LADDER[0], fit.LADDER[1]))
    monkeypatch.setattr(fit, "LEAST", 100)
    run = tenfold.fit("digits", out=tmp_path / "run")
    accuracies = {rung["rung"]: rung["validation_accuracy"] for rung in run.result["rungs"]}
    assert run.model.cause["rung"] == run.result["best"]["rung"] == max(accuracies, key=accuracies.get)
    assert run.result["validation"]["accuracy"] == max(accuracies.values()) > 0.8
    # Its own test images are found again from what the model file says.
    assert evaluate_model(run.folder, "digits", "", "")["accuracy"] == run.result["test"]["accuracy"]


def test_a_signal_in_the_last_validation_is_heard(monkeypatch, tmp_path):
    def interrupted(model, params, part, losses):
        signal.raise_signal(signal.SIGTERM)
        return evaluate(model, params, part, losses)

    monkeypatch.setattr(stage, "evaluate", interrupted)
    with pytest.raises(Interrupted) as stop:
        tenfold.train("digits", epochs=1, out=tmp_path / "run")
    assert stop.value.args[1] == 143
    monkeypatch.setattr(stage, "evaluate", evaluate)
    whole = tenfold.train("digits", epochs=1, out=tmp_path / "whole")
    resumed = tenfold.resume(tmp_path / "run")
    assert resumed.result["members"] == whole.result["members"]


def test_a_run_that_could_not_be_marked_finished_goes_on_from_its_checkpoint(monkeypatch, tmp_path):
    from tenfold import sessions
    from tenfold.runs import checkpoint as saving

    monkeypatch.setattr(saving, "SECONDS", 0.0)
    monkeypatch.setattr(saving, "TIMES", 0.0)
    plain = sessions.finish

    def full(folder, state):
        if state == "finished":
            raise tenfold.TenfoldError("disk full")
        plain(folder, state)

    monkeypatch.setattr(sessions, "finish", full)
    with pytest.raises(tenfold.TenfoldError, match="disk full"):
        tenfold.train("digits", epochs=3, out=tmp_path / "run")
    assert list((tmp_path / "run" / "checkpoints").glob("*.tenfold"))
    monkeypatch.setattr(sessions, "finish", plain)
    tenfold.resume(tmp_path / "run")
    assert not (tmp_path / "run" / "checkpoints").exists()


@pytest.mark.parametrize("choice", [{"learning_rate": 0.5}, {"optimizer": "adam"}, {"hidden": [7]}, {"l1": [0.1, 0.2]}])
def test_fit_refuses_what_it_chooses_itself(choice):
    with pytest.raises(UsageError, match=f"{next(iter(choice))} is chosen by fit itself"):
        tenfold.fit("digits", **choice)
