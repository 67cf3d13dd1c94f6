"""A fit keeps to its minutes, and names every rung that was not trained, cut short or diverged."""

import json

import numpy as np
import pytest
from PIL import Image

import tenfold
import tenfold.report.write
from tenfold import sessions
from tenfold.errors import RunError, UsageError
from tenfold.runs import fit, ladder
from tenfold.runs.checkpoint import Saver
from tenfold.runs.predict import evaluate_model
from tenfold.trained.model import load_model

DIVERGING = {
    **ladder.LINEAR,
    "model": "mlp",
    "hidden": (8,),
    "loss": "softmax",
    "learning_rate": (1e30, 1e35),
    "initializer": "he",
}


@pytest.fixture
def said(tmp_path, monkeypatch):
    """Call `fit` on digits with choices; return the run and what it said on the way. published: write its report."""

    def fitted(published=False, **choices):
        if not published:
            monkeypatch.setattr(sessions, "_publish", lambda *arguments: None)
        messages = []
        run = tenfold.fit("digits", out=tmp_path / "run", watch=lambda event: messages.append(event.message), **choices)
        return run, messages

    return fitted


def test_without_time_one_rung_is_trained_and_the_others_are_named(said):
    run, messages = said(published=True, minutes=0.001)
    assert [rung["rung"] for rung in run.result["rungs"]] == ["linear-softmax"]
    assert list(run.result["left_out"]) == [*(rung.name for rung in fit.LADDER), "ensemble"]
    (warning,) = (text for text in run.result["warnings"] if "time was up" in text)
    report = (run.folder / "report.html").read_text()
    for rung in fit.LADDER[1:]:
        assert run.result["left_out"][rung.name].startswith("not trained")
        assert any(message.startswith(f"{rung.name}: not trained") for message in messages)
        assert rung.name in warning
        assert rung.name in report
    assert warning.endswith("to train every rung to its end takes more than 2 minutes")
    assert run.model.cause["rung"] == "linear-softmax"
    # Figures are left out, too, and drawn when they are asked for.
    assert any("no time was left for the figures" in message for message in messages)
    assert "No time was left for these figures" in report
    assert not list((run.folder / "figures").glob("*.svg"))
    tenfold.report.write.write_report(run.folder)
    assert list((run.folder / "figures").glob("*.svg"))
    assert "No time was left for these figures" not in (run.folder / "report.html").read_text()


def test_a_fit_with_time_leaves_nothing_out(monkeypatch, said):
    monkeypatch.setattr(fit, "LADDER", fit.LADDER[:2])
    monkeypatch.setattr(fit, "LEAST", 50)
    run, messages = said(minutes=100)
    assert set(run.result["left_out"]) <= {"ensemble"}
    assert not any("time was" in text for text in (*messages, *run.result["warnings"]))


def test_a_rung_that_diverges_is_named_and_the_others_count(monkeypatch, said):
    monkeypatch.setattr(fit, "LADDER", (fit.Rung("wild", 0.1, 2, {}, DIVERGING), fit.LADDER[0]))
    monkeypatch.setattr(fit, "LEAST", 50)
    run, _ = said(published=True, minutes=100)
    assert [rung["rung"] for rung in run.result["rungs"]] == ["linear-softmax"]
    assert "every member diverged" in run.result["left_out"]["wild"]
    assert any(text.startswith("wild: every member diverged") for text in run.result["warnings"])
    assert "wild" in (run.folder / "report.html").read_text()
    assert not (run.folder / "models" / "wild.tenfold").exists()


def test_a_ladder_that_diverges_is_an_error(monkeypatch, said, tmp_path):
    monkeypatch.setattr(fit, "LADDER", (fit.Rung("wild", 0.1, 2, {}, DIVERGING),))
    monkeypatch.setattr(fit, "LEAST", 50)
    with pytest.raises(RunError, match="wild: every member diverged"):
        said(minutes=100)
    assert json.loads((tmp_path / "run" / "status.json").read_text())["state"] == "failed"


def test_reading_and_audit_are_not_booked_to_the_first_rung(monkeypatch, said):
    monkeypatch.setattr(fit, "LADDER", fit.LADDER[:1])
    monkeypatch.setattr(fit, "LEAST", 50)
    plain = Saver.elapsed
    monkeypatch.setattr(Saver, "elapsed", lambda self: 1000 + plain(self))
    run, _ = said(minutes=100)
    assert run.result["seconds"] > 1000
    assert run.result["rungs"][0]["seconds"] < 1000


def networks(*widths):
    return (fit.Rung("convnet", 1.0, 2, {}, {"model": "convnet"}, widths),)


def test_a_network_of_images_is_a_rung_whose_width_and_batch_follow_time_and_images(monkeypatch, said):
    monkeypatch.setattr(fit, "LEAST", 20)
    monkeypatch.setattr(fit, "LADDER", networks((10**4, 10**4), (4, 6)))
    monkeypatch.setattr(fit, "seconds_per_step", lambda run, stage, look: 10.0 if stage.recipe.widths[0] > 4 else 0.01)
    monkeypatch.setattr(fit, "TINY", 8)
    run, _ = said(minutes=1)
    recipe = run.model.cause["recipe"]
    assert run.model.model.widths == tuple(recipe["widths"]) == (4, 6)
    assert (recipe["preset"], recipe["batch_size"], recipe["patience"], recipe["crop"]) == ("fast", 32, 0, 0)
    plan = json.loads((run.folder / "plan.json").read_text())
    assert plan["convnet: widths"] == [4, 6]
    assert (
        run.result["rungs"][0]["parameters"]
        == sum(t.numel() for n, t in run.model.params.items() if "norm" not in n or "bias" in n)
        - run.model.params["whiten.filters"].numel()
    )


@pytest.mark.parametrize(("tiny", "widths"), [(8, (5, 7)), (9, (4, 6))])
def test_the_widest_network_is_trained_where_there_is_time_but_for_tiny_images(tiny, widths, monkeypatch, said):
    monkeypatch.setattr(fit, "LEAST", 20)
    monkeypatch.setattr(fit, "TINY", tiny)
    monkeypatch.setattr(fit, "LADDER", networks((5, 7), (4, 6)))
    run, _ = said(minutes=100)
    assert load_model(run.folder / "models" / "convnet.tenfold").model.widths == widths


@pytest.mark.parametrize(("pace", "rates", "decays"), [(0.2, 2, 1), (0.05, 2, 2), (0.5, 1, 1)])
def test_where_time_is_left_networks_of_other_rates_and_decays_are_trained_too(pace, rates, decays, monkeypatch, said):
    monkeypatch.setattr(fit, "LEAST", 20)
    monkeypatch.setattr(fit, "TINY", 8)
    monkeypatch.setattr(fit, "LADDER", networks((4, 6)))
    monkeypatch.setattr(fit, "seconds_per_step", lambda run, stage, look: pace)
    run, _ = said(minutes=1)
    settings = run.result["settings"]["convnet"]
    assert len(settings) == rates * decays
    assert {member["learning_rate"] for member in settings} == {0.24, *[0.12] * (rates - 1)}
    assert len({member.get("weight_decay") for member in settings}) == decays


def test_rows_of_numbers_are_no_images_for_a_network(monkeypatch, rng, tmp_path):
    monkeypatch.setattr(fit, "LEAST", 20)
    monkeypatch.setattr(fit, "LADDER", (*fit.LADDER[:1], *networks((4, 6))))
    np.savez(tmp_path / "rows.npz", x=rng.random((90, 6), dtype=np.float32), y=np.arange(90) % 3)
    with pytest.raises(UsageError, match="model convnet: images of 1 × 6 are too small; it needs 4 pixels a side"):
        tenfold.train(tmp_path / "rows.npz", model="convnet", out=tmp_path / "train")
    run = tenfold.fit(tmp_path / "rows.npz", out=tmp_path / "run", minutes=100)
    assert run.result["left_out"]["convnet"] == "not trained, it needs images of 4 pixels or more a side"
    # The rung before it, the last that the data allow, gets the rest of the time.
    plan = json.loads((run.folder / "plan.json").read_text())["linear-softmax: plan"]
    assert plan["until"] > 0.8 * 60 * 100


@pytest.mark.parametrize("part", ["validation", "test"])
@pytest.mark.parametrize("kind", [tenfold.train, tenfold.fit])
def test_a_share_beside_a_part_of_the_data_is_refused(kind, part, rng, tmp_path):
    numbers = {f"{key}_{name}": None for name in ("train", part) for key in "xy"}
    for key in numbers:
        numbers[key] = rng.random((60, 4), dtype=np.float32) if key[0] == "x" else np.arange(60) % 3
    np.savez(tmp_path / "d.npz", **numbers)
    with pytest.raises(UsageError, match=rf"--{part} 0\.9: d has a {part} part of its own, with 60 images"):
        kind(tmp_path / "d.npz", **{part: 0.9}, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_name_for_the_data_is_in_results_model_and_report(monkeypatch, said):
    monkeypatch.setattr(fit, "LADDER", fit.LADDER[:1])
    monkeypatch.setattr(fit, "LEAST", 50)
    run, _ = said(published=True, minutes=100, name="Eight by eight")
    assert run.result["data"] == run.model.cause["data"]["name"] == "Eight by eight"
    assert "Eight by eight" in (run.folder / "report.html").read_text()


@pytest.mark.parametrize("kind", [tenfold.train, tenfold.sweep])
def test_duplicates_in_a_folder_stay_on_one_side_unless_told_otherwise(kind, rng, tmp_path, monkeypatch):
    monkeypatch.setattr(sessions, "_publish", lambda *arguments: None)
    for k in range(40):
        image = Image.fromarray(rng.integers(0, 256, (8, 8), dtype=np.uint8))
        (tmp_path / "data" / "ab"[k % 2]).mkdir(parents=True, exist_ok=True)
        for copy in "12":
            image.save(tmp_path / "data" / "ab"[k % 2] / f"{k}-{copy}.png")
    choices = {"epochs": 1, "learning_rate": [0.01, 0.1]}
    kept = kind(tmp_path / "data", out=tmp_path / "kept", **choices)
    assert (kept.folder / "audit.json").exists()
    apart = kind(tmp_path / "data", out=tmp_path / "apart", audit=False, **choices)
    assert not (apart.folder / "audit.json").exists()
    # Copies lie side by side, in the order of their names.
    parts = [np.load(run.folder / "splits.npz") for run in (kept, apart)]
    split = [sum(row ^ 1 not in set(part["test"].tolist()) for row in part["test"].tolist()) for part in parts]
    assert split[0] == 0 < split[1]


def test_members_that_diverge_are_told_in_one_line(tmp_path):
    messages = []
    choices = {"model": "mlp", "hidden": [8], "learning_rate": [0.1, 1e30, 1e33, 1e35], "epochs": 3}
    tenfold.train("digits", watch=lambda event: messages.append(event.message), out=tmp_path / "run", **choices)
    (line,) = (message for message in messages if "finite" in message)
    assert line.startswith("mlp-softmax: 3 members of 4 diverged, their numbers were no longer finite; first in step ")
    assert "learning rate 1e3" in line


def test_a_folder_shows_progress_from_its_first_picture_on(monkeypatch, rng, tmp_path):
    monkeypatch.setattr(fit, "LADDER", fit.LADDER[:1])
    monkeypatch.setattr(fit, "LEAST", 20)
    for k in range(60):
        (tmp_path / "data" / "ab"[k % 2]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)).save(
            tmp_path / "data" / "ab"[k % 2] / f"{k}.png"
        )
    events = []
    tenfold.fit(tmp_path / "data", minutes=10, out=tmp_path / "run", watch=events.append)
    assert (events[0].rung, events[0].done, events[0].total, events[0].unit) == ("reading images", 0, 60, "")
    work = list(dict.fromkeys(event.rung for event in events if event.rung))
    assert work[:2] == ["reading images", "comparing thumbnails"]
    assert "linear-softmax" in work
    assert all(event.best_rung or np.isnan(event.best) for event in events)
    events.clear()
    evaluate_model(tmp_path / "run", str(tmp_path / "data"), "all", "", watch=events.append)
    assert (events[0].rung, events[0].done, events[0].total) == ("reading images", 0, 60)
