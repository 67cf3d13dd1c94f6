"""What a run says of its winners: chosen by the metric asked for, calibrated, compared, with and without twins."""

import csv
import json
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn import metrics

import tenfold
from tenfold import files
from tenfold.cli import main
from tenfold.errors import FileError, Interrupted
from tenfold.runs import fit, ladder, stage
from tenfold.runs.predict import evaluate_model
from tenfold.trained.evaluate import evaluate
from tenfold.trained.model import load_model, probabilities, save_model, scores

NUMBERS = {"position", "label", "predicted", "confidence", "uncalibrated", "step", "member", "validation_accuracy"}
NUMBERS |= {"validation_macro_f1"}


def table(path):
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    numbers = [name for name in rows[0] if name.split(" ")[0] in NUMBERS and "class" not in name]
    return {name: np.array([float(row[name]) for row in rows]) for name in numbers}


@pytest.fixture(scope="module")
def short():
    """Two rungs of a hundred steps each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "LADDER", fit.LADDER[:2])
        patch.setattr(fit, "LEAST", 100)
        patch.setitem(ladder.DEFAULTS, "ensemble", False)  # has tests of its own
        yield


@pytest.fixture(scope="module")
def fitted(short, tmp_path_factory):
    return tenfold.fit("digits", out=tmp_path_factory.mktemp("runs") / "run")


def test_predictions_are_those_of_the_saved_winners(fitted):
    data, part = tenfold.load("digits"), table(fitted.folder / "predictions.csv")
    rows = part["position"].astype(int)
    assert (part["label"] == data.labels.numpy()[rows]).all()
    for rung in ("linear-softmax", "linear-hinge"):
        model = load_model(fitted.folder / "models" / f"{rung}.tenfold")
        shares = probabilities(model, data.images[rows]).numpy()
        assert (part[f"predicted {rung}"] == shares.argmax(1)).all()
        assert part[f"confidence {rung}"] == pytest.approx(shares.max(1), abs=1e-6)
        raw = scores(model, data.images[rows]).softmax(-1).numpy().max(1)
        assert part[f"uncalibrated {rung}"] == pytest.approx(raw, abs=1e-6)


def test_the_temperature_makes_the_validation_labels_likelier(fitted):
    data, part = tenfold.load("digits"), table(fitted.folder / "validation-predictions.csv")
    rows, labels = part["position"].astype(int), part["label"].astype(int)
    model = load_model(fitted.folder / "models" / "linear-hinge.tenfold")
    z = scores(model, data.images[rows])
    losses = {t: metrics.log_loss(labels, (z / t).softmax(-1).numpy()) for t in (1.0, model.temperature)}
    assert model.temperature < 0.8  # a hinge's scores are too small for probabilities
    assert losses[model.temperature] < losses[1.0] - 0.05


def test_the_result_says_how_far_the_confidences_can_be_believed(fitted):
    part, best = table(fitted.folder / "predictions.csv"), fitted.result["best_rung"]
    for column, key in ((f"confidence {best}", "error"), (f"uncalibrated {best}", "uncalibrated_error")):
        right = part[f"predicted {best}"] == part["label"]
        bins = np.ceil(part[column] * 15).astype(int)
        gaps = [abs(right[bins == k].sum() - part[column][bins == k].sum()) for k in np.unique(bins)]
        assert fitted.result["test"]["calibration"][key] == pytest.approx(sum(gaps) / len(right), abs=1e-5)


def test_the_runner_up_is_compared_on_the_validation_images(fitted):
    part, found = table(fitted.folder / "validation-predictions.csv"), fitted.result["runner_up"]
    best = fitted.result["best_rung"]
    right = [part[f"predicted {rung}"] == part["label"] for rung in (best, found["rung"])]
    only = [int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())]
    assert [found["first_only"], found["second_only"]] == only
    assert found["p"] == pytest.approx(stats.binomtest(only[0], sum(only)).pvalue if sum(only) else 1.0)
    assert best in found["sentence"]


def test_every_setting_tried_is_in_the_result(fitted):
    assert {rung: len(tried) for rung, tried in fitted.result["settings"].items()} == {
        "linear-softmax": 16,
        "linear-hinge": 16,
    }
    for rung in fitted.result["rungs"]:
        assert rung["settings"] in fitted.result["settings"][rung["rung"]]
        assert rung["expected_seconds"] > 0
        assert rung["parameters"] == 65 * 10


def test_a_temperature_travels_with_the_model_and_a_wrong_one_is_refused(fitted, tmp_path):
    model = fitted.model
    save_model(tmp_path / "same.tenfold", model)
    assert load_model(tmp_path / "same.tenfold").temperature == model.temperature != 1.0
    for wrong in (0.0, -1.0, float("inf")):
        save_model(tmp_path / "wrong.tenfold", replace(model, temperature=wrong))
        with pytest.raises(FileError, match="temperature"):
            load_model(tmp_path / "wrong.tenfold")


def test_few_validation_images_are_a_warning_and_no_reason_for_a_temperature(short, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["fit", "digits", "--limit", "60", "--validation", "6", "--out", str(tmp_path / "run")])
    shown, few = capsys.readouterr(), "6 validation images chose between 32 settings"
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert f"warning: {few}" in shown.err
    assert any(warning.startswith(few) for warning in result["warnings"])
    calibration = result["test"]["calibration"]
    model = load_model(tmp_path / "run" / "model.tenfold")
    found = model.cause["calibration"]
    assert (calibration["temperature"] == 1.0) == (found["gain"] <= found["error"]) == ("reason" in calibration)
    said = calibration.get("reason", f"{100 * calibration['uncalibrated_error']:.2f} % without it")
    assert f"temperature {calibration['temperature']:.3g}; {said})" in " ".join(shown.out.split())


@pytest.mark.parametrize("loss", ["softmax", "sigmoid"])
def test_scores_of_raw_pixels_are_calibrated_however_large_they_are(loss, tmp_path):
    """Pixels that are not standardized: a step too large makes scores of thousands, and the model sure of all."""
    rng, y = np.random.default_rng(0), np.arange(900) % 3
    x = 250 * (rng.random((900, 30)) + 0.12 * np.eye(3)[y].repeat(10, axis=1))
    np.savez(tmp_path / "raw.npz", x=x.astype(np.float32), y=y)
    choices = {"standardize": "none", "learning_rate": 0.5, "loss": loss, "epochs": 3}
    run = tenfold.train(str(tmp_path / "raw.npz"), out=tmp_path / "run", **choices)
    calibration = run.result["test"]["calibration"]
    assert calibration["temperature"] > 100
    assert calibration["log_loss"] < np.log(3)  # what is certain of its mistakes has some hundreds
    assert loss == "sigmoid" or calibration["error"] < calibration["uncalibrated_error"] / 2


@pytest.fixture(scope="module")
def uneven(tmp_path_factory):
    """Two classes, 20 to 1, that overlap: calling everything the large one is 95 % right."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [1900, 100])
    x = (rng.normal(size=(2000, 8)) + 1.1 * y[:, None] * (np.arange(8) < 3)).astype(np.float32)
    path = tmp_path_factory.mktemp("data") / "uneven.npz"
    np.savez(path, x=x, y=y)
    return str(path)


def test_the_metric_decides_which_member_is_best(uneven, tmp_path):
    """A large and a small learning rate: the small one calls everything the large class for long."""
    choices = {"learning_rate": [1e-5, 1e-3, 0.3], "epochs": 6, "class_weight": "balanced", "seed": 1}
    runs = {
        name: tenfold.train(uneven, metric=name, out=tmp_path / name, **choices) for name in ("accuracy", "macro_f1")
    }
    for metric, run in runs.items():
        worth = [member["validation"][metric] for member in run.result["members"]]
        assert worth[run.result["best"]] == max(worth)
        curves = table(run.folder / "metrics.csv")
        last = curves["step"] == curves["step"].max()
        assert curves[f"validation_{metric}"][last] == pytest.approx(worth, rel=1e-8)
    assert runs["accuracy"].result["members"] == runs["macro_f1"].result["members"]


def test_macro_f1_of_a_run_is_that_of_its_predictions(uneven, tmp_path):
    run = tenfold.train(uneven, metric="macro_f1", learning_rate=0.3, out=tmp_path / "run")
    part = table(run.folder / "validation-predictions.csv")
    wanted = metrics.f1_score(part["label"], part["predicted linear-softmax"], average="macro")
    assert run.result["members"][0]["validation"]["macro_f1"] == pytest.approx(wanted, rel=1e-12)
    assert run.result["validation"]["macro_f1"] == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("stop_at", [3, 20, 25])  # of 20 validations in the first rung and as many in the second
def test_a_stopped_fit_leaves_its_best_and_has_not_looked_at_the_test_images(short, monkeypatch, tmp_path, stop_at):
    calls = []

    def interrupted(model, params, part, losses):
        calls.append(part)
        if len(calls) == stop_at:
            signal.raise_signal(signal.SIGTERM)
        return evaluate(model, params, part, losses)

    monkeypatch.setattr(stage, "evaluate", interrupted)
    with pytest.raises(Interrupted) as stop:
        tenfold.fit("digits", out=tmp_path / "run")
    assert stop.value.args[1] == 143
    assert str(tmp_path / "run" / "report.html") in str(stop.value)
    left = json.loads((tmp_path / "run" / "result.json").read_text())
    assert (left["state"], left["part"], left["test"]) == ("interrupted", "validation", None)
    assert [rung["test_accuracy"] for rung in left["rungs"]] == [None] * len(left["rungs"])
    assert not (tmp_path / "run" / "predictions.csv").exists()
    assert (tmp_path / "run" / "report.html").exists()
    assert (tmp_path / "run" / "model.md").exists()
    model = load_model(tmp_path / "run" / "model.tenfold")
    assert model.cause["rung"] == left["best_rung"]
    part = table(tmp_path / "run" / "validation-predictions.csv")
    right = part["label"] == part[f"predicted {left['best_rung']}"]
    assert right.mean() == pytest.approx(model.cause["validation"]["accuracy"], abs=1e-12)
    monkeypatch.setattr(stage, "evaluate", evaluate)
    resumed = tenfold.resume(tmp_path / "run")
    assert (resumed.result["state"], resumed.result["part"]) == ("finished", "test")
    assert resumed.result["test"]["accuracy"] > 0.9


@pytest.fixture(scope="module")
def leaky(tmp_path_factory):
    """Noise images in an official split: 30 of the 60 test images are brightened copies of training images."""
    rng = np.random.default_rng(3)
    x = rng.integers(0, 200, (400, 16, 16)).astype(np.uint8)
    y = np.arange(400) % 2
    test = rng.integers(0, 200, (60, 16, 16)).astype(np.uint8)
    test[:30] = x[:30] + 20
    path = tmp_path_factory.mktemp("data") / "leaky.npz"
    np.savez(path, x_train=x, y_train=y, x_test=test, y_test=np.arange(60) % 2)
    return str(path)


def test_the_test_score_is_given_with_and_without_twins(short, leaky, tmp_path):
    run = tenfold.fit(leaky, out=tmp_path / "run")
    part = table(run.folder / "predictions.csv")
    kept = table(run.folder / "validation-predictions.csv")["position"]
    # A twin of a validation image is not in training.
    twins = [k for k in range(30) if k not in kept]
    right = part["label"] == part[f"predicted {run.result['best_rung']}"]
    apart = ~np.isin(part["position"], np.array(twins) + 400)
    found = run.result["test"]["without_twins"]
    assert (found["n"], run.result["test"]["n"]) == (60 - len(twins), 60)
    assert found["accuracy"] == pytest.approx(right[apart].mean())
    assert run.result["test"]["accuracy"] == pytest.approx(right.mean())
    assert right.mean() > found["accuracy"] + 0.05
    assert any("twin" in warning or "duplicate" in warning for warning in run.result["warnings"])


def test_twins_of_a_data_set_without_parts_stay_on_one_side(short, tmp_path):
    rng = np.random.default_rng(4)
    x = rng.integers(0, 250, (300, 12, 12)).astype(np.uint8)
    x[150:] = x[:150]
    np.savez(tmp_path / "twice.npz", x=x, y=np.tile(np.arange(150) % 3, 2))
    run = tenfold.fit(str(tmp_path / "twice.npz"), out=tmp_path / "run")
    with np.load(run.folder / "splits.npz") as parts:
        side = {int(row) % 150: set() for row in range(300)}
        for name in parts.files:
            for row in parts[name]:
                side[int(row) % 150].add(name)
    assert all(len(names) == 1 for names in side.values())
    assert run.result["test"]["without_twins"] is None
    # The model file alone finds the same parts again.
    alone = tmp_path / "alone.tenfold"
    alone.write_bytes((run.folder / "model.tenfold").read_bytes())
    for place in (run.folder, alone):
        again = evaluate_model(place, str(tmp_path / "twice.npz"), "test", "")
        assert again["accuracy"] == run.result["test"]["accuracy"]
        assert again["n"] == run.result["test"]["n"]


def test_a_fit_without_an_audit_splits_as_train_does(short, tmp_path):
    fit = tenfold.fit("digits", audit=False, out=tmp_path / "fit")
    train = tenfold.train("digits", epochs=1, out=tmp_path / "train")
    assert not (fit.folder / "audit.json").exists()
    with np.load(fit.folder / "splits.npz") as first, np.load(train.folder / "splits.npz") as second:
        assert all(torch.equal(*(torch.from_numpy(parts[name]) for parts in (first, second))) for name in first.files)


def test_a_class_that_no_test_image_shows_is_a_warning(short, tmp_path):
    rng = np.random.default_rng(5)
    np.savez(tmp_path / "rare.npz", x=rng.normal(size=(101, 6)).astype(np.float32), y=np.repeat([0, 1, 2], [50, 50, 1]))
    run = tenfold.fit(str(tmp_path / "rare.npz"), out=tmp_path / "run")
    said = "1 of 3 classes without a test image, so not tested: 2;"
    assert any(warning.startswith(said) for warning in run.result["warnings"])
    assert run.result["test"]["per_class"][2]["n"] == 0
    assert run.result["test"]["absent"] == (run.result["test"]["per_class"][2]["f1"] is None)


def test_a_stop_between_rungs_leaves_the_report_of_the_finished_ones(short, monkeypatch, tmp_path):
    plain = fit._outcome

    def stopped(run, stage, at):
        if stage.name == "linear-hinge":
            signal.raise_signal(signal.SIGINT)
        return plain(run, stage, at)

    monkeypatch.setattr(fit, "_outcome", stopped)
    with pytest.raises(Interrupted) as stop:
        tenfold.fit("digits", out=tmp_path / "run")
    assert stop.value.args[1] == 130
    left = json.loads((tmp_path / "run" / "result.json").read_text())
    assert [rung["rung"] for rung in left["rungs"]] == ["linear-softmax"]
    assert (tmp_path / "run" / "report.html").exists()


def test_a_fit_opens_each_model_file_once(short, monkeypatch, tmp_path):
    opened, load = [], files.load
    monkeypatch.setattr(files, "load", lambda path: opened.append(path.name) or load(path))
    run = tenfold.fit("digits", out=tmp_path / "run")
    assert sorted(opened) == sorted(f"{rung['rung']}.tenfold" for rung in run.result["rungs"])
