"""Runs of encoders: resumed to the bit, judged as they train, stopped where they collapse, no classifiers."""

import csv
import json
import math

import pytest
import torch

import tenfold
from tenfold.cli import main
from tenfold.errors import Interrupted, RunError, UsageError
from tenfold.runs import stage
from tenfold.runs.folder import COLUMNS, EMBEDDED
from tenfold.runs.predict import evaluate_model
from tenfold.trained.model import load_model

pytestmark = pytest.mark.usefixtures("unpublished")
ENCODER = {"task": "contrast", "model": "mlp", "hidden": (32,), "embedding": 16, "epochs": 4, "learning_rate": 0.01}


def rows(folder):
    with (folder / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("loss", ["triplet", "supcon"])
def test_a_stopped_run_is_resumed_to_the_bit_from_the_middle_of_an_epoch(loss, tmp_path, monkeypatch):
    choices = {**ENCODER, "loss": loss, "projection": 8, "crop": 1, "flip": 0.3, "dropout": 0.1}
    whole = tenfold.train("digits", out=tmp_path / "whole", **choices)
    count = 0

    def counted(progress, *rest):
        nonlocal count
        count += 1
        if count == 20:
            raise KeyboardInterrupt
        return stepped(progress, *rest)

    stepped = stage._stepped
    monkeypatch.setenv("TENFOLD_CHECKPOINT_SECONDS", "0.0001")
    monkeypatch.setattr(stage, "_stepped", counted)
    with pytest.raises((KeyboardInterrupt, Interrupted)):
        tenfold.train("digits", out=tmp_path / "stopped", **choices)
    monkeypatch.setattr(stage, "_stepped", stepped)
    resumed = tenfold.resume(tmp_path / "stopped")
    first, second = (load_model(run.folder / "model.tenfold").params for run in (whole, resumed))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert (tmp_path / "whole" / "metrics.csv").read_bytes() == (tmp_path / "stopped" / "metrics.csv").read_bytes()


def test_probes_spread_and_active_triplets_are_columns_and_the_encoder_learns(tmp_path):
    run = tenfold.train("digits", out=tmp_path / "run", **ENCODER, margin=[0.5, 2.0])
    table = rows(run.folder)
    assert tuple(table[0]) == (*COLUMNS, *EMBEDDED)
    last = {int(row["member"]): {n: float(row[n] or "nan") for n in (*COLUMNS[4:], *EMBEDDED)} for row in table}
    for row in last.values():
        assert min(row["validation_accuracy"], row["linear_probe"]) > 0.7
        assert 0 < row["active"] < 0.5
        assert 3 < row["effective_rank"] <= 16
        assert 0 < row["alignment"] < 2
        assert -4 < row["uniformity"] < 0
        assert math.isnan(row["train_accuracy"])
    assert last[0]["active"] < last[1]["active"], "a smaller margin is met sooner"
    alone = rows(tenfold.train("digits", out=tmp_path / "alone", **ENCODER, margin=2.0).folder)[-1]
    for name in ("train_loss", "validation_loss", "linear_probe", "effective_rank"):
        assert abs(float(alone[name]) - last[1][name]) < 1e-2 * abs(last[1][name]), name
    model = load_model(run.folder / "model.tenfold")
    assert model.model.classes == 0
    assert model.room_name == "mlp"
    assert "votes of the 20 nearest training embeddings" in json.dumps(run.result["notes"])


def test_a_collapse_stops_the_run_with_its_reason_and_what_to_change(tmp_path):
    high = {**ENCODER, "learning_rate": 0.1, "optimizer": "adam", "mining": "batch-hard"}
    with pytest.raises(RunError) as caught:
        tenfold.train("digits", out=tmp_path / "run", **high)
    message = str(caught.value)
    assert message.startswith("step 13: collapsed: an effective rank of 1.0")
    assert "try --learning-rate 0.01, or --mining semi-hard" in message
    assert "or --embedding-length unit" in message
    assert float(rows(tmp_path / "run")[-1]["effective_rank"]) < 1.2
    assert not (tmp_path / "run" / "model.tenfold").exists()


def test_a_member_that_collapses_leaves_the_others_alone(tmp_path):
    both = {**ENCODER, "learning_rate": [0.003, 0.1], "optimizer": "adam", "mining": "batch-hard"}
    run = tenfold.train("digits", out=tmp_path / "run", **both)
    first, second = run.result["members"]
    assert first["failed"] is None
    assert second["failed"]["tensor"].startswith("collapsed: ")
    assert run.result["best"] == 0
    alone = tenfold.train("digits", out=tmp_path / "alone", **{**both, "learning_rate": 0.003})
    assert abs(alone.result["members"][0]["validation"]["loss"] - first["validation"]["loss"]) < 1e-4


def test_an_exploding_encoder_is_named_by_step_layer_and_tensor(tmp_path):
    messages = []
    with pytest.raises(RunError, match="every member diverged"):
        tenfold.train("digits", out=tmp_path / "run", watch=messages.append, **{**ENCODER, "learning_rate": 30.0})
    assert any("no longer finite: step " in event.message for event in messages)


def test_an_encoder_is_no_classifier_and_says_what_makes_one(tmp_path, capsys):
    run = tenfold.train("digits", out=tmp_path / "run", **{**ENCODER, "epochs": 1})
    with pytest.raises(UsageError, match="it is an encoder, which knows no classes: `tenfold probe RUN`"):
        evaluate_model(run.folder, "digits", "", "")
    with pytest.raises(SystemExit) as stop:
        main(["predict", str(run.folder), str(tmp_path)])
    assert stop.value.code == 2
    assert "tenfold probe" in capsys.readouterr().err


def test_a_sweep_chooses_by_neighbors_and_leaves_an_encoder(tmp_path):
    run = tenfold.sweep("digits", out=tmp_path / "run", **{**ENCODER, "epochs": 1}, margin=[0.5, 2.0])
    assert all(row["score"] > 0.5 for row in run.result["table"])
    assert load_model(run.folder / "model.tenfold").model.classes == 0


def test_a_sweep_over_losses_takes_those_of_one_kind(tmp_path):
    choices = {**ENCODER, "epochs": 1}
    run = tenfold.sweep("digits", out=tmp_path / "run", **choices, loss=["contrastive", "triplet"])
    assert {row["settings"]["loss"] for row in run.result["table"]} == {"contrastive", "triplet"}
    with pytest.raises(UsageError, match="take different batches: train them apart"):
        tenfold.sweep("digits", out=tmp_path / "a", **choices, loss=["triplet", "supcon"])
    with pytest.raises(UsageError, match="loss triplet is one of embeddings: it needs --task contrast"):
        tenfold.sweep("digits", out=tmp_path / "b", loss=["triplet", "hinge"])
    assert not {"a", "b"} & {path.name for path in tmp_path.iterdir()}


def test_steps_of_a_contrast_run_depend_on_seed_and_step_alone(tmp_path):
    first, again = (tenfold.train("digits", out=tmp_path / name, **ENCODER) for name in ("a", "b"))
    assert first.result["members"][0]["weights_sha256"] == again.result["members"][0]["weights_sha256"]
