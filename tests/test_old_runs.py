"""What version 0.1.0 left on disk still opens, resumes, extends, predicts and reports (see fixtures/old_runs)."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import tenfold
from tenfold.choices import read
from tenfold.cli import main
from tenfold.files import as_json
from tenfold.recipe import Recipe
from tenfold.reproduce.trials import TableTrial, read_record
from tenfold.trained.model import probabilities

OLD = Path(__file__).parent / "fixtures" / "old_runs"


def command(capsys, *words):
    """The JSON object that a command prints last."""
    with pytest.raises(SystemExit) as ended:
        main([*map(str, words), "--json"])
    assert ended.value.code == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.fixture
def old(tmp_path):
    """`old("killed")`: a copy that a test may change."""
    return lambda name: Path(shutil.copytree(OLD / name, tmp_path / name))


@pytest.mark.parametrize("kind", ["linear", "mlp", "patches", "codes"])
def test_a_model_file_says_what_it_said(kind):
    images = tenfold.load("digits").images[:4]
    now = probabilities(tenfold.load_model(OLD / "models" / f"{kind}.tenfold"), images)
    then = json.loads((OLD / "probabilities.json").read_text())[kind]
    np.testing.assert_allclose(now.numpy(), then, atol=2e-6)


def test_a_finished_run_is_evaluated_reported_and_compared(old, capsys):
    finished, sweep = old("finished"), old("sweep")
    was = json.loads((finished / "result.json").read_text())
    assert tenfold.resume(finished).result == was
    assert command(capsys, "evaluate", finished, "digits")["n"] == was["test"]["n"]
    page = Path(command(capsys, "report", finished)["report"])
    assert f"{100 * was['test']['accuracy']:.2f}" in page.read_text(encoding="utf-8")
    found = command(capsys, "compare", finished, sweep)
    assert found["n"] == 359


def test_a_recipe_still_trains_the_same_run(old, tmp_path, capsys):
    finished = old("finished")
    was = json.loads((finished / "result.json").read_text())
    again = command(capsys, "train", "--recipe", finished / "recipe.toml", "--out", tmp_path / "again")
    for before, after in zip(was["members"], again["members"], strict=True):
        assert after["test"]["accuracy"] == pytest.approx(before["test"]["accuracy"], abs=0.006)


def test_a_killed_run_goes_on_to_the_same_end(old):
    killed = old("killed")
    done = (killed / "metrics.csv").read_text().splitlines()
    assert tenfold.resume(killed).result["state"] == "finished"
    with (OLD / "killed-to-its-end.csv").open() as then, (killed / "metrics.csv").open() as now:
        assert now.read().splitlines()[: len(done) - 10] == done[:-10]
        now.seek(0)
        for before, after in zip(csv.DictReader(then), csv.DictReader(now), strict=True):
            assert [before[name] for name in ("rung", "step", "member")] == [
                after[name] for name in ("rung", "step", "member")
            ]
            assert float(after["train_loss"]) == pytest.approx(float(before["train_loss"]), rel=0.02, abs=0.002)


def test_a_sweep_is_extended(old):
    sweep = old("sweep")
    was = {row["member"]: row for row in json.loads((sweep / "result.json").read_text())["table"]}
    extended = tenfold.sessions.extend(sweep, {"members": 2})
    rows = {row["member"]: row for row in extended.result["table"]}
    assert len(rows) == len(was) + 2
    assert {member: rows[member]["score"] for member in was} == {member: was[member]["score"] for member in was}
    assert Path(extended.folder, "report.html").exists()


def test_the_trials_of_a_reproduction_are_read(old, tmp_path, capsys):
    folder = old("reproduction")
    for path in sorted(folder.glob("trials/*.json")):
        kept = json.loads(path.read_text())
        moments = {moment: tuple(parts) for moment, parts in kept["moments"].items()}
        read_back = read_record(folder, TableTrial(kept["run"], Recipe(seed=kept["seed"]), moments, kept["key"]))
        assert as_json(read_back) == kept | {"losses": {}}  # single losses were not kept
    folder.rename(tmp_path / "own-full")
    result = command(capsys, "reproduce", folder.parent / "own-full" / "own.toml", "--out", tmp_path)
    assert {cell["id"] for cell in result["tables"][0]["cells"]} == {"plain/test", "fast/validation@best"}
    assert len(list((tmp_path / "own-full").glob("trials/*.json"))) >= 4


def test_an_old_recipe_means_what_it_meant():
    recipe = read(OLD / "killed" / "recipe.toml")
    assert (recipe.model, recipe.hidden, recipe.learning_rate, recipe.momentum) == ("mlp", (32, 16), (0.01, 0.05), 0.9)
    assert recipe.framing == "squash"
