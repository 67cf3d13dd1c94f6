"""A sweep: its members are the runs on their own, a kill changes no bit, the best is trained again and tested once."""

import json
import math
import os
import signal
import subprocess
import sys
from contextlib import ExitStack

import numpy as np
import pytest
from joblib.externals.loky import get_reusable_executor

import tenfold
from tenfold.choices import recipe
from tenfold.cli import main
from tenfold.errors import Interrupted, RunError, UsageError
from tenfold.report.rates import draw_rates
from tenfold.runs import stage
from tenfold.search.estimate import estimate
from tenfold.search.rates import find_rate
from tenfold.search.request import requested
from tenfold.sessions import begin, extend, resume
from tenfold.trained.evaluate import evaluate
from tests.processes import Moment, started, until

pytestmark = pytest.mark.usefixtures("unpublished")

COMMON = {"data": "digits", "epochs": 4, "batch_size": 50}


def swept(out, watch=lambda event: None, **choices):
    return begin(requested({**COMMON, **choices}), str(out), watch=watch)


@pytest.fixture(scope="module")
def grid(tmp_path_factory, unpublished):
    choices = {"learning_rate": "0.01,0.1", "l2": "0,0.01", "loss": "softmax,hinge", "precision": "float64"}
    return swept(tmp_path_factory.mktemp("runs") / "run", **choices)


def test_a_member_is_the_run_on_its_own(grid, tmp_path):
    for row in (grid.result["table"][0], grid.result["table"][-1]):
        alone = tenfold.train(**COMMON, **row["settings"], precision="float64", out=tmp_path / str(row["member"]))
        entry = alone.result["members"][0]
        assert row["score"] == pytest.approx(entry["validation"]["accuracy"], abs=1e-12)
    assert sorted(row["member"] for row in grid.result["table"]) == list(range(8))
    settings = [tuple(row["settings"].items()) for row in grid.result["table"]]
    assert len(set(settings)) == 8


def test_the_table_is_ranked_and_the_best_is_trained_again_on_all_but_the_test_images(grid, tmp_path):
    scores = [row["score"] for row in grid.result["table"]]
    assert scores == sorted(scores, reverse=True)
    assert grid.result["best"]["settings"] == grid.result["table"][0]["settings"]
    images = grid.model.cause["data"]["images"]
    assert images == {"train": 1438, "test": 359}
    assert grid.result["test"]["n"] == 359
    again = tenfold.train(
        **COMMON, **grid.result["best"]["settings"], precision="float64", validation=1, out=tmp_path / "again"
    )
    # One image fewer to learn from: nearly the same classifier.
    assert grid.result["test"]["accuracy"] == pytest.approx(again.result["test"]["accuracy"], abs=0.02)


def test_folds_and_repeats_are_populations_and_give_an_interval(tmp_path):
    run = swept(tmp_path / "run", learning_rate="0.01,0.1", folds=3, repeats=2, batch_size="50,100")
    assert run.result["runs_each"] == 6
    assert run.result["populations"][0] == "4 settings × 3 folds × 2 seeds: 24 runs in 12 populations, 2 members each."
    outcomes = [json.loads(path.read_text()) for path in sorted((run.folder / "units").rglob("outcome.json"))]
    assert len(outcomes) == 12
    row = run.result["table"][0]
    scores = [
        entry["score"] for outcome in outcomes for entry in outcome["members"] if entry["candidate"] == row["member"]
    ]
    assert len(scores) == 6
    assert row["score"] == pytest.approx(np.mean(scores))
    assert row["interval"][0] < row["score"] < row["interval"][1]


def test_halving_drops_members_and_its_survivors_are_the_runs_of_the_full_sweep(tmp_path):
    choices = {"learning_rate": "1e-4:0.3:log", "members": 9, "epochs": 9, "precision": "float64"}
    full, halved = swept(tmp_path / "full", **choices), swept(tmp_path / "halved", **choices, halving=3)
    outcomes = [
        {
            entry["candidate"]: entry
            for entry in json.loads((run.folder / "units/00/0000/outcome.json").read_text())["members"]
        }
        for run in (full, halved)
    ]
    survivors = [k for k, entry in outcomes[1].items() if not entry.get("dropped")]
    assert 0 < len(survivors) < 9
    for k in survivors:
        assert outcomes[1][k]["loss"] == pytest.approx(outcomes[0][k]["loss"], rel=1e-12)
    assert halved.result["best"] == full.result["best"]


def alone(row, out, **choices):
    """The validation loss of a row of a sweep's table, trained by itself."""
    run = tenfold.train(**{**COMMON, **choices}, **row, precision="float64", out=out)
    return run.result["members"][0]["validation"]["loss"]


def members_of(run):
    """Settings and outcome of the members of a sweep's only population."""
    settings = json.loads((run.folder / "plan.json").read_text())["round 0"]
    (outcome,) = (json.loads(path.read_text()) for path in (run.folder / "units").rglob("outcome.json"))
    return [(settings[entry["candidate"]], entry) for entry in outcome["members"]]


def test_flips_of_a_sweep_are_members_of_one_population(tmp_path):
    run = swept(tmp_path / "run", flip="0,0.2,0.5", loss="softmax,hinge", precision="float64")
    assert run.result["populations"][0] == "6 settings: 6 runs in 1 population, 6 members each."
    losses = [entry["loss"] for _, entry in members_of(run)]
    for k, (row, _) in enumerate(members_of(run)):
        assert losses[k] == pytest.approx(alone(row, tmp_path / str(k)), rel=1e-12)
    assert len(set(losses)) == 6


def test_survivors_of_a_halved_sweep_keep_their_own_flips(tmp_path):
    choices = {"flip": "0:0.5", "learning_rate": "1e-3:0.1:log", "epochs": 9}
    run = swept(tmp_path / "run", **choices, members=9, halving=3, precision="float64")
    kept = [(k, row, entry) for k, (row, entry) in enumerate(members_of(run)) if not entry.get("dropped")]
    assert 1 < len({row["flip"] for _, row, _ in kept}) < 9
    for k, row, entry in kept:
        assert entry["loss"] == pytest.approx(alone(row, tmp_path / str(k), epochs=9), rel=1e-12)


def test_ranges_are_sampled_from_the_seed(tmp_path):
    tables = [
        swept(tmp_path / str(k), learning_rate="1e-3:1e-1:log", members=4, seed=seed)
        for k, seed in enumerate((1, 1, 2))
    ]
    rates = [[row["settings"]["learning_rate"] for row in run.result["table"]] for run in tables]
    assert rates[0] == rates[1] != rates[2]
    assert tables[0].result["test"] == tables[1].result["test"]
    assert all(1e-3 <= rate <= 1e-1 for rate in rates[2])


def test_a_best_on_the_edge_of_its_range_is_a_warning(tmp_path):
    run = swept(tmp_path / "run", learning_rate="1e-5,1e-4,1e-3")
    assert any("learning_rate" in warning and "high end" in warning for warning in run.result["warnings"])


def test_a_sweep_that_diverges_says_so_and_what_to_try(tmp_path):
    with pytest.raises(RunError, match=r"every member diverged.*--learning-rate"):
        swept(tmp_path / "run", learning_rate="1e30,1e35", model="mlp", hidden=[8])


@pytest.mark.parametrize(
    ("choices", "different"),
    [
        ({"sampler": "random", "momentum": "0.5,0.9"}, 2),
        ({"sampler": "sobol", "batch_size": "50:54"}, 5),
        ({"sampler": "tpe", "momentum": "0.5,0.9", "nesterov": [True, False]}, 4),
        ({"sampler": "random", "momentum": "0.5,0.9", "rounds": 2}, 2),
    ],
    ids=["random", "sobol", "tpe", "rounds"],
)
def test_no_setting_is_trained_twice(choices, different, tmp_path):
    told = []
    run = swept(tmp_path / "run", **choices, members=8, epochs=1, watch=lambda event: told.append(event.message))
    settings = [str(row["settings"]) for row in run.result["table"]]
    assert len(settings) == len(set(settings)) == different
    assert any("there are no more that differ" in message for message in told)
    assert any(f"{different} settings tried, not 8" in warning for warning in run.result["warnings"])
    extended = extend(run.folder, {"members": 4})
    assert len(extended.result["table"]) == different
    assert extended.result["state"] == "finished"


def test_draws_that_repeat_are_drawn_again(tmp_path):
    run = swept(tmp_path / "run", sampler="random", batch_size="50:57", members=8, epochs=1)
    assert {row["settings"]["batch_size"] for row in run.result["table"]} == set(range(50, 58))
    assert not any("no more that differ" in warning for warning in run.result["warnings"])


STOPPED = {
    "in the second fold": {"members": 4, "folds": 2},
    "after a drop": {"members": 9, "halving": 3, "epochs": 9, "flip": "0:0.5"},
}


@pytest.mark.parametrize("choices", STOPPED.values(), ids=STOPPED)
def test_a_sweep_that_was_stopped_ends_as_one_that_was_not(choices, monkeypatch, tmp_path):
    choices = {"learning_rate": "0.003:0.1:log", **choices}
    whole, calls = swept(tmp_path / "whole", **choices), []

    def interrupted(model, params, part, losses):
        calls.append(part)
        if len(calls) == 6:  # of four in each fold, or of nine
            signal.raise_signal(signal.SIGTERM)
        return evaluate(model, params, part, losses)

    monkeypatch.setattr(stage, "evaluate", interrupted)
    with pytest.raises(Interrupted):
        swept(tmp_path / "run", **choices)
    monkeypatch.setattr(stage, "evaluate", evaluate)
    calls.clear()
    resumed = resume(tmp_path / "run")
    for name in ("table", "best", "test", "validation"):
        assert resumed.result[name] == whole.result[name]
    assert (tmp_path / "run/predictions.csv").read_bytes() == (whole.folder / "predictions.csv").read_bytes()
    assert resumed.model.params["scores.weight"].equal(whole.model.params["scores.weight"])


def test_a_killed_sweep_ends_with_the_same_bits(tmp_path, capsys):
    options = ["--learning-rate", "0.003:0.1:log", "--members", "8", "--folds", "3", "--epochs", "20"]
    command = ["sweep", "digits", *options, "--model", "mlp", "--hidden", "64", "--json", "--out"]
    folder, moment = tmp_path / "killed", Moment(tmp_path / "moment", "units/00/0001/checkpoints/", 2)
    _, err = started(*command, str(folder), moment=moment).communicate()
    assert moment.came(), err
    assert not (folder / "result.json").exists()
    resumed = resume(folder)
    with pytest.raises(SystemExit):
        main([*command, str(tmp_path / "whole")])
    wanted = json.loads(capsys.readouterr().out.splitlines()[-1])
    for name in ("table", "best", "test", "validation"):
        assert json.loads(json.dumps(resumed.result[name])) == wanted[name]


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({}, "a sweep needs an option"),
        ({"learning_rate": "1:0.1"}, "low end"),
        ({"learning_rate": "0:0.1:log", "members": 4}, "above zero"),
        ({"learning_rate": "0.1:1", "model": "mlp"}, "members"),
        ({"hidden": "64,128"}, "hidden"),
        ({"epochs": "3,4"}, "epochs"),
        ({"learning_rate": "0.1,0.2", "sampler": "sobl"}, "sobol"),
    ],
)
def test_what_cannot_be_swept_is_one_plain_line(choices, message):
    with pytest.raises(UsageError, match=message):
        requested({**COMMON, **choices})


def test_more_folds_than_the_smallest_class_are_refused(tmp_path):
    with pytest.raises(UsageError, match="--folds 400"):
        swept(tmp_path / "run", learning_rate="0.01,0.1", folds=400)


def test_train_refuses_what_only_a_sweep_has():
    with pytest.raises(UsageError, match="tenfold sweep"):
        tenfold.train("digits", folds=5)


def table_of(run):
    """Scores by settings, without the numbers of members."""
    return {tuple(row["settings"].items()): row["score"] for row in run.result["table"]}


def test_an_extended_sweep_trains_only_what_is_new(tmp_path):
    choices = {"learning_rate": "1e-3:1e-1:log", "seed": 3}
    small = swept(tmp_path / "run", **choices, members=4)
    made = [path.stat().st_mtime_ns for path in sorted(small.folder.rglob("outcome.json"))]
    larger = extend(tmp_path / "run", {"members": 4})
    assert len(larger.result["table"]) == 8
    assert table_of(small).items() <= table_of(larger).items()
    assert [path.stat().st_mtime_ns for path in sorted(small.folder.rglob("outcome.json"))][:1] == made
    # Sobol's sequence goes on: the eight are those of a sweep of eight.
    assert set(table_of(larger)) == set(table_of(swept(tmp_path / "whole", **choices, members=8)))
    wider = extend(tmp_path / "run", {"members": 2, "learning_rate": "0.1:1:log"})
    assert sum(row["settings"]["learning_rate"] > 0.1 for row in wider.result["table"]) == 2
    assert wider.result["state"] == "finished"


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"epochs": 3, "members": 2}, "epochs"),
        ({}, "members"),
        ({"momentum": "0.5,0.9"}, "momentum"),
        ({"l2": "0"}, "l2"),
    ],
)
def test_what_an_extension_cannot_change_is_refused(choices, message, grid):
    with pytest.raises(UsageError, match=message):
        extend(grid.folder, choices)


def test_only_a_finished_sweep_is_extended(tmp_path):
    run = tenfold.train("digits", epochs=1, out=tmp_path / "run")
    with pytest.raises(RunError, match="finished sweep"):
        extend(run.folder, {"members": 2})


def test_processes_give_the_table_of_one(tmp_path):
    choices = {"learning_rate": "0.01,0.03,0.1", "folds": 3, "precision": "float64"}
    alone = swept(tmp_path / "alone", **choices)
    pair = begin(requested({**COMMON, **choices}), str(tmp_path / "pair"), jobs=2)
    assert table_of(pair) == pytest.approx(table_of(alone), abs=1e-12)
    assert pair.result["test"]["accuracy"] == alone.result["test"]["accuracy"]
    assert len(list(pair.folder.rglob("outcome.json"))) == 3


def test_a_worker_that_dies_is_replaced(tmp_path, monkeypatch):
    moment = Moment(tmp_path / "moment", "checkpoints/", 2)
    choices = {"learning_rate": "0.01,0.1", "folds": 4, "epochs": 20, "model": "mlp", "hidden": [64]}
    told = []
    get_reusable_executor().shutdown(wait=True)  # workers that an earlier test left know nothing of the moment
    with monkeypatch.context() as patch:
        for name, value in moment.environment().items():
            patch.setenv(name, value)
        run = begin(
            requested({**COMMON, **choices}), str(tmp_path / "run"), watch=lambda e: told.append(e.message), jobs=2
        )
    assert moment.came()
    assert any("a worker died" in message for message in told)
    assert len(list(run.folder.rglob("outcome.json"))) == 4
    assert run.result["failed"] == 0
    assert table_of(run) == pytest.approx(table_of(swept(tmp_path / "alone", **choices)), abs=0.02)


def dask(log, name, *options, **environment):
    """One of Dask's own commands, in a process of its own."""
    command = [sys.executable, "-m", f"distributed.cli.dask_{name}", *options, "--no-dashboard", "--host", "127.0.0.1"]
    return subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **environment})


def test_a_dask_cluster_gives_the_same_table_though_a_worker_is_killed(tmp_path):
    distributed = pytest.importorskip("distributed", reason="needs the extra: distributed")
    choices = {"learning_rate": "0.01,0.1", "folds": 4, "epochs": 20}
    moment, place = Moment(tmp_path / "moment", "checkpoints/", 2), tmp_path / "scheduler.json"
    with ExitStack() as stack:
        log = stack.enter_context((tmp_path / "log").open("w"))
        processes = [dask(log, "scheduler", "--port", "0", "--scheduler-file", str(place))]
        stack.callback(lambda: [(process.kill(), process.wait()) for process in reversed(processes)])
        until(lambda: place.exists() and place.read_text().rstrip().endswith("}"), processes[0])
        address = json.loads(place.read_text())["address"]
        for environment in (moment.environment(), {}):
            processes.append(dask(log, "worker", address, "--nthreads", "1", "--no-nanny", **environment))
        with distributed.Client(address) as client:
            client.wait_for_workers(2)
        run = begin(requested({**COMMON, **choices}), str(tmp_path / "run"), cluster=address)
        assert moment.came()
        assert processes[1].wait() == -signal.SIGKILL
    assert len(list(run.folder.rglob("outcome.json"))) == 4
    assert table_of(run) == pytest.approx(table_of(swept(tmp_path / "alone", **choices)), abs=1e-9)


def test_an_unreachable_cluster_is_one_plain_line(tmp_path):
    pytest.importorskip("distributed", reason="needs the extra: distributed")
    with pytest.raises(UsageError, match="no scheduler answers"):
        begin(requested({**COMMON, "learning_rate": "0.1,0.2"}), str(tmp_path / "run"), cluster="tcp://127.0.0.1:9")


def test_the_library_sweeps_and_its_table_becomes_a_frame(tmp_path):
    run = tenfold.sweep("digits", learning_rate=[0.03, 0.1], folds=2, epochs=2, out=tmp_path / "run")
    frame = run.table.to_pandas()
    assert list(frame.columns) == ["member", "learning_rate", "score", "low", "high"]
    assert frame["score"].tolist() == [row["score"] for row in run.table.rows]
    with pytest.raises(RunError, match="not a sweep"):
        tenfold.train("digits", epochs=1, out=tmp_path / "train").table  # noqa: B018


def test_an_estimate_writes_nothing_and_names_the_populations(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = estimate(requested({**COMMON, "learning_rate": "1e-3:1e-1:log", "members": 9, "folds": 3, "halving": 3}))
    assert (found["members"], found["units"]) == (9, 3)
    assert 0 < found["seconds"] < math.inf
    assert "9 settings × 3 folds" in found["populations"][0]
    assert "stay after validation" in found["populations"][-1]
    assert not list(tmp_path.iterdir())


def test_a_learning_rate_is_found_among_64_at_once(tmp_path):
    found = find_rate(recipe({**COMMON, "model": "mlp", "hidden": [32], "momentum": 0.9}))
    assert (len(found.rates), found.steps) == (64, 300)
    known = np.isfinite(found.loss)
    assert known[0]
    assert not known[-1]  # a rate of 10 diverges
    assert found.suggested == found.rates[np.nanargmin(found.loss)]
    assert 0.003 < found.suggested <= found.largest < 10
    alone = tenfold.train(
        **COMMON,
        model="mlp",
        hidden=[32],
        momentum=0.9,
        iterations=300,
        learning_rate=found.suggested,
        out=tmp_path / "a",
    )
    assert alone.result["members"][0]["validation"]["accuracy"] > 0.9
    draw_rates(found, tmp_path / "new" / "rates.svg")
    assert "learning rates at once" in (tmp_path / "new" / "rates.svg").read_text()


def test_a_sweep_by_tpe_learns_and_leaves_a_journal(tmp_path):
    optuna = pytest.importorskip("optuna", reason="needs the extra: sweep")
    run = swept(tmp_path / "run", learning_rate="1e-5:1:log", members=12, rounds=3, sampler="tpe")
    assert len(run.result["table"]) == 12
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(run.folder / "optuna.log")))
    (study,) = optuna.get_all_study_summaries(storage)
    assert study.n_trials == 12
    assert study.best_trial.value == pytest.approx(run.result["table"][0]["score"])
    again = swept(tmp_path / "again", learning_rate="1e-5:1:log", members=12, rounds=3, sampler="tpe")
    assert table_of(again) == table_of(run)


@pytest.mark.parametrize("seed", [1, 2])
def test_halving_in_folds_ranks_what_some_folds_dropped(tmp_path, seed):
    choices = {"learning_rate": "1e-3:0.1:log", "members": 6, "folds": 3, "halving": 2, "epochs": 6, "seed": seed}
    run = swept(tmp_path / "run", **choices)
    assert len(run.result["table"]) == 6
    assert run.model.cause["recipe"]["epochs"] == 6


def test_the_recipe_of_a_sweep_repeats_it(grid, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        main(["train", "--recipe", str(grid.folder / "recipe.toml"), "--out", str(tmp_path / "again")])
    assert not end.value.code
    assert "trained again on all but the test images" in " ".join(capsys.readouterr().out.split())
    again = json.loads((tmp_path / "again" / "result.json").read_text())
    for name in ("table", "best", "test"):
        assert again[name] == json.loads((grid.folder / "result.json").read_text())[name]
