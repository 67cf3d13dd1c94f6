"""Reported tables on the digits: what is measured, what is judged, what is not measured again, what explains a gap."""

import json
import math
import shutil
import signal
import tomllib
from contextlib import nullcontext

import pytest
from torch.utils.flop_counter import FlopCounterMode

import tenfold
from tenfold.cli import main
from tenfold.errors import FileError, Interrupted, TenfoldError
from tenfold.files import as_json
from tenfold.reproduce import explain, trials
from tenfold.reproduce import reproduce as module
from tenfold.reproduce.costs import by_arithmetic, operations_per_second
from tenfold.reproduce.reproduce import reproduce
from tenfold.reproduce.table import TableRequest, read_table, shipped
from tenfold.runs import stage
from tenfold.trained.evaluate import evaluate
from tests.processes import Moment, started

pytestmark = pytest.mark.usefixtures("unpublished")

TABLE = """
title = "Digits, softmax and hinge"
report = "none"
tolerance = "0.5 points"
nan_predicts = 1
figures = ["run_curves", "templates"]
[protocol]
data = "digits"
epochs = 4
learning_rate = 0.03
[runs.plain]
[runs.fast]
settings = {learning_rate = 0.1}
[runs.hinge]
ours = true
settings = {loss = "hinge"}
[runs.wild]
settings = {model = "mlp", hidden = [16, 16], initializer = "normal", initializer_scale = 1e30}
[[cells]]
run = "plain"
reported = "95.00"
unit = "%"
[[cells]]
run = "plain"
part = "train"
metric = "loss"
epoch = 2
reported = "0.4"
[[cells]]
run = "fast"
part = "validation"
epoch = "best"
reported = "0.9"
[[cells]]
run = "fast"
part = "running"
reported = "0.9"
[[cells]]
run = "wild"
metric = "loss"
reported = "NaN"
[[cells]]
run = "wild"
reported = "0.1014"
[[claims]]
text = "fast is better"
better = {run = "fast", part = "validation"}
than = {run = "plain", part = "validation"}
[[claims]]
text = "huge weights diverge"
fails = "wild"
[[claims]]
text = "nobody is worst"
lowest = [0]
of = ["plain"]
[[questions]]
about = "part that the number is of"
stated = true
ways = [{label = "training images", part = "train"}, {label = "validation images", part = "validation"}]
[[questions]]
about = "length"
ways = [{label = "one epoch", set = {epochs = 1}}, {label = "twice the rate", set = {learning_rate = "×2"}}]
[scales.full]
seeds = 2
[scales.quick]
settings = {epochs = 1}
"""


def quiet(event):
    pass


@pytest.fixture
def table(tmp_path):
    """The table with some of its text replaced, as a file."""

    def made(*replaced):
        text = TABLE
        for old, new in replaced:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "own.toml"
        path.write_text(text)
        return path

    return made


def asked(path, scale="full", **more):
    return TableRequest(read_table(str(path)), scale, **more)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, unpublished):
    folder = tmp_path_factory.mktemp("reproduced")
    (folder / "own.toml").write_text(TABLE)
    return folder, reproduce(asked(folder / "own.toml"), folder / "run", quiet)


def cell(result, name):
    return next(row for row in result.cells if row.id == name)


def test_a_number_is_that_of_the_run_on_its_own(finished, tmp_path):
    _, result = finished
    alone = tenfold.train("digits", epochs=4, learning_rate=0.03, seed=1, out=str(tmp_path / "plain"))
    measured = cell(result, "plain/test").measured
    assert measured[1] == pytest.approx(alone.result["members"][0]["test"]["accuracy"], abs=1e-9)
    patient = tenfold.train("digits", epochs=4, learning_rate=0.1, seed=1, patience=9, out=str(tmp_path / "fast"))
    measured = cell(result, "fast/validation@best").measured
    assert measured[1] == pytest.approx(patient.result["members"][0]["validation"]["accuracy"], abs=1e-9)


def test_a_moment_is_the_end_of_that_many_epochs(finished, tmp_path):
    short = tenfold.train("digits", epochs=2, learning_rate=0.03, out=str(tmp_path / "short"))
    measured = cell(finished[1], "plain/train/loss@2").measured[0]
    assert measured == pytest.approx(short.result["members"][0]["train"]["loss"], rel=1e-5)


def test_every_seed_draws_everything_anew(finished):
    first, second = cell(finished[1], "plain/train/loss@2").measured
    assert first != second


def test_a_run_that_diverges_is_named_and_predicts_what_nan_does(finished):
    _, result = finished
    assert cell(result, "wild/test/loss").verdict == "reproduced (diverges)"
    labels = tenfold.load("digits").labels
    for failed, share in zip(result.runs["wild"].failed, cell(result, "wild/test").measured, strict=True):
        assert failed.step == 1
        assert failed.layer == "hidden2"
        assert share == pytest.approx(float((labels == 1).float().mean()), abs=0.01)  # a stratified test part
    assert result.claims[1].verdict == "confirmed"
    assert "step 1, hidden2" in result.claims[1].evidence


def test_claims_are_judged(finished):
    claims = finished[1].claims
    assert claims[0].difference == pytest.approx(
        sum(a - b for a, b in zip(*(_validation(finished, run) for run in ("fast", "plain")), strict=True)) / 2
    )
    assert claims[2].verdict == "refuted"  # 0 is an easy digit


def _validation(finished, run):
    records = [json.loads(path.read_text()) for path in (finished[0] / "run/trials").glob("*.json")]
    own = sorted((record for record in records if record["run"] == run), key=lambda record: record["seed"])
    return [record["moments"]["last"]["validation"]["accuracy"] for record in own]


def test_what_is_known_is_not_trained_again(finished, monkeypatch):
    folder, result = finished
    monkeypatch.setattr(module, "train_group", None)  # a call would fail
    again = reproduce(asked(folder / "own.toml"), folder / "run", quiet)
    assert again.cells == result.cells


@pytest.mark.parametrize(
    ("change", "runs"),
    [
        (("settings = {learning_rate = 0.1}", "settings = {learning_rate = 0.2}"), {"fast"}),
        (("epoch = 2\n", "epoch = 3\n"), {"plain"}),
        (('tolerance = "0.5 points"', 'tolerance = "1 points"'), set()),
        (("epochs = 4", "epochs = 5"), {"plain", "fast", "hinge", "wild"}),
    ],
)
def test_only_what_is_stale_is_trained(finished, table, monkeypatch, change, runs):
    trained = []
    monkeypatch.setattr(module, "train_group", lambda folder, group, *rest: trained.extend(group))
    with pytest.raises(FileError, match="cannot be read") if runs else nullcontext():  # nothing was measured by that
        reproduce(asked(table(change)), finished[0] / "run", quiet)
    assert {one.run for one in trained} == runs
    assert {one.recipe.seed for one in trained} == ({0, 1} if runs else set())


def test_other_code_makes_every_number_stale(finished, monkeypatch):
    monkeypatch.setattr(trials, "digest_of_code", lambda: "another")
    trained = []
    monkeypatch.setattr(module, "train_group", lambda folder, group, *rest: trained.extend(group))
    with pytest.raises(FileError, match="cannot be read"):
        reproduce(asked(finished[0] / "own.toml"), finished[0] / "run", quiet)
    assert {one.run for one in trained} == {"plain", "fast", "hinge", "wild"}


def test_a_killed_reproduction_goes_on_to_the_same_numbers(finished, table, tmp_path, capsys):
    command = ["reproduce", str(table()), "--out", str(tmp_path / "out"), "--json"]
    place, moment = tmp_path / "out/own-full", Moment(tmp_path / "moment", "/checkpoints/", 2)
    _, err = started(*command, moment=moment).communicate()
    assert moment.came(), err
    assert len(list(place.glob("training/*/checkpoints/*.tenfold"))) == 1
    assert not (place / "result.json").exists()
    with pytest.raises(SystemExit):
        main(command)
    found = json.loads(capsys.readouterr().out.splitlines()[-1])["tables"][0]
    assert found["cells"] == as_json(finished[1].cells)
    assert not list(place.glob("training/*/checkpoints"))


def test_a_number_of_the_training_images_that_was_printed_as_the_tests_is_found_out(table, tmp_path):
    choices = {"epochs": 20, "learning_rate": 0.3, "limit": 200}
    member = tenfold.train("digits", **choices, out=str(tmp_path / "alone")).result["members"][0]
    assert member["train"]["accuracy"] > member["test"]["accuracy"] + 0.01  # else nothing would be shown
    planted = f'reported = "{100 * member["train"]["accuracy"]:.2f}"\nn = 100000'
    path = table(
        ('reported = "95.00"', planted),
        ('"0.5 points"', '"0.01 points"'),
        ("epochs = 4\nlearning_rate = 0.03", "epochs = 20\nlearning_rate = 0.3\nlimit = 200"),
        ("seeds = 2", "seeds = 1"),
    )
    found = explain.explain(asked(path), tmp_path / "run", "plain/test", quiet)
    assert found.verdict == "protocol cannot be what was stated"
    assert found.ways[0].label == "training images"
    assert found.ways[0].gap == pytest.approx(0, abs=1e-4)
    assert found.ways[0].closes
    assert not any(way.closes for way in (*found.ways, *found.pairs) if not way.stated)
    result = reproduce(asked(path), tmp_path / "run", quiet)
    assert cell(result, "plain/test").verdict == "protocol cannot be what was stated"
    assert "training images" in result.explained["plain/test"].sentence


def test_a_sweep_is_a_run_too(table, tmp_path):
    search = """[runs.search]
seeds = 1
settings = {vary = ["learning_rate=0.01,0.1"], folds = 2, epochs = 2}
[[cells]]
run = "search"
part = "validation"
setting = {learning_rate = 0.1}
reported = "0.9"
[[cells]]
run = "search"
part = "validation"
metric = "loss"
reported = "0.9"
[[cells]]
run = "search"
reported = "0.9"
[[claims]]
text = "fast is better\""""
    drawn = ('["run_curves", "templates"]', '["sweep_slices"]')
    result = reproduce(asked(table(drawn, ('[[claims]]\ntext = "fast is better"', search))), tmp_path / "run", quiet)
    assert result.figures == ("figures/sweep_slices-search.svg",)
    assert "digits, search" in (tmp_path / "run" / result.figures[0]).read_text()
    whole = tenfold.sweep("digits", learning_rate=[0.01, 0.1], folds=2, epochs=2, out=str(tmp_path / "alone")).result
    scores = {row["settings"]["learning_rate"]: row["score"] for row in whole["table"]}
    assert cell(result, "search/learning_rate=0.1/validation").measured == (scores[0.1],)
    assert cell(result, "search/validation/loss").measured == (whole["table"][0]["loss"],)
    assert cell(result, "search/test").measured == (whole["test"]["accuracy"],)
    assert len(result.tables[1].rows) == 2


def test_every_run_is_told_with_its_metrics_on_test_images(finished):
    told = finished[1].tables[0]
    rows = {row[0]: dict(zip(told.columns, row, strict=True)) for row in told.rows}
    assert rows["plain"]["accuracy"] == pytest.approx(sum(cell(finished[1], "plain/test").measured) / 2)
    assert rows["plain"]["macro precision"] > rows["plain"]["macro f1"] > 0.3
    assert rows["wild"]["seeds"] == "0 of 2"
    assert rows["wild"]["accuracy"] is None


def test_figures_are_drawn(finished):
    drawn = sorted(path.name for path in (finished[0] / "run/figures").iterdir())
    assert drawn == ["run_curves.svg", "templates.svg"]
    svg = (finished[0] / "run/figures/run_curves.svg").read_text()
    for run in ("plain", "fast", "hinge"):
        assert f">{run}" in svg
    assert "loss of single mini-batches" in svg


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('report = "none"', 'reprot = "none"'), "unknown key 'reprot': did you mean 'report'?"),
        (('run = "plain"\nreported', 'run = "plane"\nreported'), "no run is called 'plane': did you mean 'plain'?"),
        (('"0.5 points"', '"0.5"'), "give it with its unit"),
        (('reported = "95.00"', 'reported = "95,0"'), "as it is printed"),
        (("epochs = 4", "epoch = 4"), "unknown option 'epoch': did you mean 'epochs'?"),
        (('loss = "hinge"', 'loss = "hing"'), "run 'hinge', scale 'full': no loss 'hing'"),
        (('fails = "wild"', 'fails = "wild"\nlowest = [1]\nof = ["plain"]'), "give better and than, or fails"),
        (('["run_curves", "templates"]', '["learning_curve"]'), "no figure 'learning_curve'"),
        (("set = {epochs = 1}", "set = {epoch = 1}"), "unknown option 'epoch'"),
        (("[runs.plain]", '[runs."a/b"]\n[runs.plain]'), "runs.a/b"),
        (('data = "digits"', 'data = "digits"\nseed = 3'), "seed belongs to the table"),
        (("seeds = 2", "seeds = 0"), "scales.full.seeds"),
    ],
)
def test_a_table_that_cannot_be_is_refused_in_one_line(table, capsys, change, told):
    path = table(change)
    with pytest.raises(SystemExit) as end:
        main(["reproduce", str(path)])
    said = capsys.readouterr().err
    assert end.value.code == 2
    assert said.count("\n") == 1
    assert said.startswith(f"tenfold: {path}: ")
    assert told in said


def test_what_is_no_table_is_said(table, tmp_path, capsys):
    broken = tmp_path / "broken.toml"
    broken.write_text("title = ")
    for name, told in (("nothing", "neither a table nor a file"), (str(broken), "not a readable TOML table")):
        with pytest.raises(SystemExit) as end:
            main(["reproduce", name])
        assert end.value.code == 2
        assert told in capsys.readouterr().err


def test_a_cell_that_is_not_there_and_a_table_without_questions(table, tmp_path):
    with pytest.raises(TenfoldError, match="did you mean 'plain/test'"):
        explain.explain(asked(table()), tmp_path / "run", "plain/tets", quiet)
    text = TABLE[: TABLE.index("[[questions]]")] + TABLE[TABLE.index("[scales.full]") :]
    assert "questions" not in tomllib.loads(text)
    (tmp_path / "bare.toml").write_text(text)
    with pytest.raises(TenfoldError, match="asks no questions"):
        explain.explain(asked(tmp_path / "bare.toml"), tmp_path / "run", "plain/test", quiet)


def test_the_command_prints_every_cell_and_writes_its_page(finished, capsys):
    folder = finished[0]
    (folder / "out").mkdir(exist_ok=True)
    (folder / "out/own-full").unlink(missing_ok=True)
    (folder / "out/own-full").symlink_to(folder / "run")
    with pytest.raises(SystemExit) as end:
        main(
            ["reproduce", str(folder / "own.toml"), "--out", str(folder / "out"), "--markdown", str(folder / "all.md")]
        )
    said = capsys.readouterr().out
    assert end.value.code == 0
    for row in finished[1].cells:
        assert row.id in said
    assert "own-full/report.html" in said.replace("\n", "")
    page = (folder / "run/report.html").read_text()
    assert "reproduced (diverges)" in page
    assert "plain" in (folder / "all.md").read_text()


def test_a_dry_run_says_what_it_takes_and_writes_nothing(table, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main(["reproduce", str(table()), "--dry-run", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert end.value.code == 0
    assert {run for row in found["tables"][0]["populations"] for run in row["runs"]} == {
        "plain",
        "fast",
        "hinge",
        "wild",
    }
    assert 0 < found["seconds"] < math.inf
    assert [path.name for path in tmp_path.iterdir()] == ["own.toml"]


def test_the_list_names_every_table_that_comes_with_it(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("TENFOLD_DATA", str(tmp_path))  # no data: what it takes is not known, and nothing is downloaded
    with pytest.raises(SystemExit) as end:
        main(["reproduce", "--json"])
    rows = json.loads(capsys.readouterr().out)["tables"]
    assert end.value.code == 0
    assert {row["name"] for row in rows} == set(shipped())
    assert {row["minutes"] for row in rows} == {None}


def test_arithmetic_says_about_what_a_table_takes(table, tmp_path):
    own = asked(table())
    with FlopCounterMode(display=False) as counter:
        reproduce(own, tmp_path / "run", quiet)
    # So slow a machine that nothing counts but products.
    assert 1 / 5 < by_arithmetic(own, 1.0) / counter.get_total_flops() < 5
    assert 0 < by_arithmetic(own, operations_per_second()) < by_arithmetic(own, 1.0)


def test_a_signal_stops_it_with_the_word_how_to_go_on(table, tmp_path, monkeypatch, finished):
    path, calls = table(), []

    def interrupted(*parts):
        calls.append(parts)
        if len(calls) == 5:
            signal.raise_signal(signal.SIGTERM)
        return evaluate(*parts)

    monkeypatch.setattr(stage, "evaluate", interrupted)
    with pytest.raises(Interrupted, match="the same command goes on") as stop:
        reproduce(asked(path), tmp_path / "run", quiet)
    assert stop.value.args[1] == 143
    monkeypatch.setattr(stage, "evaluate", evaluate)
    result = reproduce(asked(path), tmp_path / "run", quiet)
    assert result.cells == finished[1].cells


def test_a_claim_is_of_the_seeds_that_both_runs_have(table, tmp_path):
    path = table(("settings = {learning_rate = 0.1}", "seeds = 1\nsettings = {learning_rate = 0.1}"))
    result = reproduce(asked(path), tmp_path / "run", quiet)
    first, second = (
        next(json.loads(p.read_text()) for p in (tmp_path / "run/trials").glob("*.json") if _is(p, run, 0))
        for run in ("fast", "plain")
    )
    apart = [record["moments"]["last"]["validation"]["accuracy"] for record in (first, second)]
    assert result.claims[0].difference == pytest.approx(apart[0] - apart[1])
    assert result.claims[0].verdict == "undecided (one seed)"


def _is(path, run, seed):
    record = json.loads(path.read_text())
    return (record["run"], record["seed"]) == (run, seed)


def test_figures_have_every_run_whatever_was_explained_before(table, tmp_path):
    path = table(("seeds = 2", "seeds = 1"), ('["run_curves", "templates"]', '["class_accuracy"]'))
    explain.explain(asked(path), tmp_path / "run", "plain/test", quiet)
    reproduce(asked(path), tmp_path / "run", quiet)
    svg = (tmp_path / "run/figures/class_accuracy.svg").read_text()
    assert all(f">{run}" in svg for run in ("plain", "fast", "hinge"))


def test_models_are_those_of_the_table_as_it_is_now(table, tmp_path):
    for rate in ("0.1", "0.3", "0.1"):
        path = table(
            ("settings = {learning_rate = 0.1}", f"settings = {{learning_rate = {rate}}}"), ("seeds = 2", "seeds = 1")
        )
        reproduce(asked(path), tmp_path / "run", quiet)
        drawn = (tmp_path / "run/figures/templates.svg").read_bytes()
        if rate == "0.3":
            other = drawn
    path = table(("seeds = 2", "seeds = 1"))
    reproduce(asked(path), tmp_path / "fresh", quiet)
    assert drawn == (tmp_path / "fresh/figures/templates.svg").read_bytes()
    assert drawn != other


def test_a_run_that_stopped_early_is_measured_as_it_stopped(table, tmp_path):
    path = table(
        ("[runs.plain]", "[runs.plain]\nsettings = {patience = 1, learning_rate = 1e-9}"),
        ("epoch = 2\n", "epoch = 4\n"),
        ("seeds = 2", "seeds = 1"),
    )
    result = reproduce(asked(path), tmp_path / "run", quiet)
    record = next(json.loads(p.read_text()) for p in (tmp_path / "run/trials").glob("*.json") if _is(p, "plain", 0))
    assert record["steps"] < 4 * 13
    assert cell(result, "plain/train/loss@4").measured == (pytest.approx(math.log(10), abs=0.5),)


def test_a_moment_between_validations_changes_nothing_else(table, tmp_path):
    sparse = ("epochs = 4\n", "epochs = 4\nevaluate_every = 26\n")
    seeds = ("seeds = 2", "seeds = 1")
    with_moment = reproduce(asked(table(sparse, seeds, ("epoch = 2\n", "epoch = 3\n"))), tmp_path / "a", quiet)
    without = reproduce(asked(table(sparse, seeds)), tmp_path / "b", quiet)
    assert cell(with_moment, "fast/running").measured == cell(without, "fast/running").measured
    assert cell(with_moment, "plain/train/loss@3").measured != cell(without, "plain/train/loss@2").measured


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda record: record | {"moments": {}},
        lambda record: record | {"moments": []},
        lambda record: record | {"moments": {"last": 3}},
        lambda record: record | {"seed": 99},
        lambda record: record | {"run": "nope"},
        lambda record: record | {"seconds": "x"},
        lambda record: {name: value for name, value in record.items() if name != "shares"},
        lambda record: [record],
    ],
)
def test_a_damaged_record_is_named_and_what_to_do(finished, spoiled, tmp_path):
    shutil.copytree(finished[0] / "run", tmp_path / "run")
    path = next(p for p in (tmp_path / "run/trials").glob("*.json") if _is(p, "plain", 1))
    path.write_text(json.dumps(spoiled(json.loads(path.read_text()))))
    with pytest.raises(FileError, match="delete it, and the same command") as told:
        reproduce(asked(finished[0] / "own.toml"), tmp_path / "run", quiet)
    assert str(path) in str(told.value)


@pytest.mark.parametrize("content", ["", "[]", '{"plain/test": 3}', '{"plain/test": {}}'])
def test_damaged_explanations_are_told_before_anything_is_trained(table, tmp_path, monkeypatch, content):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/explained.json").write_text(content)
    monkeypatch.setattr(module, "train_group", None)
    monkeypatch.setattr(explain, "train_group", None)
    for go in (
        lambda: reproduce(asked(table()), tmp_path / "run", quiet),
        lambda: explain.explain(asked(table()), tmp_path / "run", "plain/test", quiet),
    ):
        with pytest.raises(FileError, match=r"explained\.json: damaged"):
            go()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--explain", "plain/test"], "give one name"),
        (["TABLE", "--explain", ""], "has no cell ''"),
        (["TABLE", "--explain", "plain/test", "--dry-run"], "no --force, --seeds, --dry-run or --all"),
        (["TABLE", "--markdown", "/nonexistent/all.md"], "an existing folder"),
        (["TABLE", "--markdown", "."], "an existing folder"),
        (["TABLE", "--scale", "tiny"], "has no scale 'tiny'"),
        (["TABLE", "TABLE"], "the same name"),
        (["TABLE", "--all"], "names of tables or --all"),
    ],
)
def test_what_cannot_be_asked_is_said_before_anything_is_made(table, tmp_path, monkeypatch, capsys, words, told):
    path = table()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main(["reproduce", *(str(path) if word == "TABLE" else word for word in words)])
    said = capsys.readouterr().err
    assert end.value.code == 2
    assert told in said
    assert said.count("\n") == 1
    assert not (tmp_path / "reproductions").exists() or told == "has no cell ''"
