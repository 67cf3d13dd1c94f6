"""Whose choice a tolerance is, and what is counted apart from numbers that are reproduced."""

import pytest

from tenfold.reproduce.phrases import KINDS, cell_rows, counts
from tenfold.reproduce.reproduce import reproduce
from tenfold.reproduce.table import TableRequest, read_table, shipped
from tenfold.reproduce.tolerance import tolerance_of

NONE = ("", "")
CELLS = """
title = "Digits"
%s
[protocol]
data = "digits"
epochs = 2
learning_rate = 0.03
[[choices]]
field = "learning_rate"
why = "it gives the number"
%s
[runs.plain]
[runs.zero]
settings = {model = "mlp", hidden = [8], initializer = "zero", epochs = 1}
[[cells]]
run = "plain"
reported = "%s"
[[cells]]
run = "plain"
part = "train"
reported = "0.50"
tolerance = "45 points"
tolerance_why = "a guess"
[[cells]]
run = "zero"
reported = "0.1"
[scales.full]
"""


@pytest.mark.parametrize(
    ("metric", "cell", "table", "words", "by"),
    [
        ("accuracy", NONE, NONE, "0.5 points", "default rule"),
        ("loss", NONE, NONE, "0.05 absolute", "default rule"),
        ("weight_disagreement", NONE, NONE, "0 absolute", "printed digits"),
        ("accuracy", NONE, ("1 points", "few images"), "1 points", "choice of the table"),
        ("loss", NONE, ("1 points", "few images"), "0.05 absolute", "default rule"),
        ("loss", NONE, ("2 %", "few images"), "2 %", "choice of the table"),
        ("loss", ("0.1 absolute", "noise"), ("2 %", "few images"), "0.1 absolute", "choice of the table"),
    ],
)
def test_a_tolerance_is_somebodys(metric, cell, table, words, by):
    found = tolerance_of(metric, cell, table)
    assert (found.words, found.by) == (words, by)
    assert bool(found.why) == (by == "choice of the table")


@pytest.fixture
def measured(tmp_path):
    def result(table="", choice="", reported="0.9"):
        path = tmp_path / "own.toml"
        path.write_text(CELLS % (table, choice, reported))
        return reproduce(TableRequest(read_table(str(path))), tmp_path / "run", lambda event: None)

    return result


def test_every_cell_says_how_far_it_may_lie_off_and_whose_choice_that_is(measured):
    test, train, zero = cell_rows(measured())
    assert test.tolerance == "±0.055, default rule"
    assert (train.tolerance, train.why) == ("±0.455, choice of the table", "a guess")
    assert zero.tolerance in ("±0.055, default rule", "±0.05, printed digits")
    exact = measured().cells[0].mean
    assert cell_rows(measured(reported=f"{exact:.6f}"))[0].tolerance == "±5e-07, printed digits"


def test_what_agrees_for_no_reason_that_counts_is_counted_apart(measured):
    result = measured(choice="fitted = true")
    assert [cell.verdict for cell in result.cells][1:] == [
        "reproduced with a fitted choice",
        "nothing learned, as reported",
    ]
    assert "reproduced" not in counts([result])
    assert [cell.verdict for cell in measured().cells][1:] == ["reproduced", "nothing learned, as reported"]
    assert set(counts([result])) <= set(KINDS)


@pytest.mark.parametrize("name", sorted(shipped()))
def test_shipped_tables_give_a_reason_for_every_tolerance_of_their_own(name):
    table = read_table(name)
    for cell in table.cells:
        tolerance = table.tolerance_of(cell)
        assert (tolerance.by == "choice of the table") == (len(tolerance.why) > 10), cell.id


def test_shipped_tables_name_the_choices_that_were_fitted():
    fitted = {(name, choice.field) for name in shipped() for choice in read_table(name).choices if choice.fitted}
    assert {("cifar10-softmax-clipped", "decay_factor"), ("mnist-activations", "epochs")} <= fitted
