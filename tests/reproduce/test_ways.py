"""Explanations train no more than they must, and every number that is not reproduced gets a cause or what was tried."""

import pytest

from tenfold.cli import main
from tenfold.reproduce import explain
from tenfold.reproduce.explain import reproduce_and_explain
from tenfold.reproduce.phrases import cell_rows
from tenfold.reproduce.records import WayResult
from tenfold.reproduce.reproduce import reproduce
from tenfold.reproduce.table import TableRequest, read_table
from tenfold.reproduce.trials import train_group
from tenfold.reproduce.ways import alternatives, base_of, pairs, promising, sources

TABLE = """
title = "Digits, two numbers that nothing gives and one that a way gives"
[protocol]
data = "digits"
epochs = 2
learning_rate = 0.03
limit = 300
[runs.slow]
[runs.fast]
settings = {learning_rate = 0.1}
[[cells]]
run = "slow"
part = "train"
reported = "0.999"
[[cells]]
run = "fast"
part = "train"
reported = "0.999"
[[cells]]
run = "slow"
reported = "1.2000"
[[cells]]
run = "slow"
part = "validation"
reported = "0.5"
tolerance = "49 points"
tolerance_why = "so that it is reproduced"
[[questions]]
about = "length"
ways = [
    {label = "4 epochs", set = {epochs = 4}},
    {label = "60 epochs", set = {epochs = 60}},
    {label = "80 epochs", set = {epochs = 80}},
]
[[questions]]
about = "step size"
ways = [{label = "tenfold", set = {learning_rate = "×10"}}, {label = "a half", set = {learning_rate = "/2"}}]
[[questions]]
about = "penalty"
ways = [{label = "λ 0.001", set = {l2 = 0.001}}]
[scales.full]
seeds = 4
"""


@pytest.fixture
def request_of(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(TABLE)
    return TableRequest(read_table(str(path)))


def test_lengths_are_moments_of_the_longest_run(request_of):
    cell = request_of.table.cells[0]
    base = base_of(request_of, cell)
    ways = alternatives(base, request_of.table.questions)
    found = {one.label: (recipe.epochs, read.epoch) for one, (recipe, read) in zip(ways, sources(ways), strict=True)}
    assert found["4 epochs"] == (80, 4.0)
    assert found["80 epochs"] == (80, "last")
    assert found["tenfold"] == (2, "last")
    assert len({recipe for recipe, _ in sources(ways)}) == 4
    cosine = base._replace(recipe=base.recipe.model_copy(update={"schedule": "cosine"}))
    separate = alternatives(cosine, request_of.table.questions)
    assert [recipe for recipe, _ in sources(separate)] == [one.recipe for one in separate]
    best = base._replace(cell=cell.model_copy(update={"epoch": "best"}))
    assert [read.epoch for _, read in sources(alternatives(best, request_of.table.questions))] == ["best"] * 6


def test_a_moment_of_the_longest_run_is_the_number_of_the_shorter_one(request_of, tmp_path):
    found = explain.explain(request_of, tmp_path / "run", "slow/test", lambda event: None)
    numbers = {way.label: way.measured for way in (*found.ways, *found.pairs)}
    path = tmp_path / "longer.toml"
    path.write_text(TABLE.replace("epochs = 2\n", "epochs = 4\n"))
    alone = reproduce(TableRequest(read_table(str(path))), tmp_path / "alone", lambda event: None)
    measured = next(cell.measured[0] for cell in alone.cells if cell.id == "slow/test")
    assert numbers["4 epochs"] == pytest.approx(measured, rel=1e-6)


def test_pairs_are_those_of_the_nearest_ways_where_none_closes_the_gap(request_of):
    base = base_of(request_of, request_of.table.cells[0])
    off = WayResult("as it is", "", False, 0.5, -0.4, False)
    rows = [
        WayResult("4 epochs", "length", False, 0.6, -0.3, False),
        WayResult("80 epochs", "length", False, 0.7, -0.2, False),
        WayResult("tenfold", "step size", False, 0.4, -0.5, False),
        WayResult("λ 0.001", "penalty", False, 0.65, -0.25, False),
    ]
    assert promising(off, rows) == ["80 epochs"]
    assert not promising(off, rows[2:3])
    for stated in (True, False):
        assert not promising(off, [*rows, WayResult("a half", "step size", stated, 0.9, 0.0, True)])
    tried = {one.label for one in pairs(base, request_of.table.questions, ["80 epochs"])}
    assert tried == {"80 epochs + tenfold", "80 epochs + a half", "80 epochs + λ 0.001"}
    assert len(list(pairs(base, request_of.table.questions))) == 3 * 2 + 3 + 2


def test_every_gap_is_explained_and_nothing_is_trained_twice(request_of, tmp_path, monkeypatch):
    trained = []

    def counted(folder, group, *rest):
        trained.extend(one.recipe for one in group)
        return train_group(folder, group, *rest)

    monkeypatch.setattr(explain, "train_group", counted)
    result = reproduce_and_explain(request_of, tmp_path / "run", lambda event: None)
    assert set(result.explained) == {"slow/train", "fast/train", "slow/test"}
    causes = {row.id: row.cause for row in cell_rows(result)}
    assert causes["fast/train"].endswith("(left open; it closes 2 of the gaps)")
    assert causes["slow/test"].startswith("not explained; of ")
    assert causes["slow/validation"] == ""
    assert result.explained["slow/train"].base == result.cells[0].measured[0]
    # The runs of the table are not trained again, and no recipe is trained for two cells.
    assert not {
        recipe for recipe in trained if recipe.epochs == 2 and recipe.learning_rate in (0.03, 0.1) and not recipe.l2
    }
    assert len(trained) == len(set(trained))
    trained.clear()
    assert reproduce_and_explain(request_of, tmp_path / "run", lambda event: None).cells == result.cells
    assert not trained


@pytest.mark.parametrize("words", [["--explain", "gaps"], ["digits", "--explain", "gaps", "--dry-run"]])
def test_gaps_are_those_of_tables(words, capsys):
    with pytest.raises(SystemExit) as end:
        main(["reproduce", *words])
    assert end.value.code == 2
    assert "give their names or --all, and no --dry-run" in capsys.readouterr().err
