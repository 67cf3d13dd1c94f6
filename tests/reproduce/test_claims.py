"""Claims of a report on the digits: each kind is confirmed, refuted and left undecided where it ought to be."""

import math

import numpy as np
import pytest

from tenfold.errors import UsageError
from tenfold.reproduce.judge_claims import judged_claim
from tenfold.reproduce.measurements import Measurements, number_of
from tenfold.reproduce.records import TrialRecord
from tenfold.reproduce.reproduce import reproduce
from tenfold.reproduce.table import TableRequest, read_table
from tenfold.runs.result import Failure

TABLE = """
title = "Digits"
nan_predicts = 0
[protocol]
data = "digits"
epochs = 4
learning_rate = 0.03
[runs.a]
[runs.b]
settings = {learning_rate = 0.1}
[runs.few]
settings = {limit = 300}
[[cells]]
run = "a"
reported = "0.11"
%s
[scales.full]
seeds = 3
[scales.tiny]
settings = {limit = 300}
"""
EQUAL = '[[claims]]\ntext = "t"\nequal = {run = "a"}\nto = {run = "b"}\n'
STEPS = [0, 10, 20, 30]


@pytest.fixture
def read(tmp_path):
    def made(claim):
        path = tmp_path / "own.toml"
        path.write_text(TABLE % claim)
        return read_table(str(path))

    return made


def record(run, seed=0, *, accuracy=0.5, recall=(0.5,) * 10, failed=False, train=(), validation=()):
    """A record as the runner writes it, with the numbers that claims read."""
    test = {"accuracy": accuracy, "recall": list(recall), "loss": 1.0}
    moments = {"last": {"test": None if failed else test, "validation": None if failed else test}}
    curves = {"step": STEPS[-len(train) :], "train_loss": list(train), "validation_loss": list(validation)}
    place = Failure(3, "hidden1", "output") if failed else None
    return TrialRecord(
        run=run,
        key="",
        seed=seed,
        moments=moments,
        failed=place,
        shares={"test": [0.11] + [0.0989] * 9},
        images={"test": 360},
        curves=curves,
        seconds=0.0,
    )


def verdict(table, records, scale="full"):
    runs: dict[str, list[TrialRecord]] = {}
    for one in records:
        runs.setdefault(one.run, []).append(one)
    return judged_claim(Measurements("digits", runs, {}), TableRequest(table, scale), table.claims[0])


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ((0.501, 0.512, 0.519), "confirmed"),
        ((0.48, 0.491, 0.50), "refuted"),
        ((0.495, 0.515, 0.53), "undecided"),
        ((0.501,), "undecided (one seed)"),
    ],
)
def test_equally_good(read, second, words):
    table = read(EQUAL + 'margin = "0.5 points"')
    first = (0.50, 0.511, 0.52)
    records = [record(run, k, accuracy=x) for run, xs in (("a", first), ("b", second)) for k, x in enumerate(xs)]
    found = verdict(table, records)
    assert found.verdict == words
    assert "margin 0.5 points" in found.evidence


@pytest.mark.parametrize(
    ("claim", "told"),
    [
        (EQUAL, "equally good needs a margin above 0"),
        (EQUAL + 'margin = "0 points"', "equally good needs a margin above 0"),
        (EQUAL + 'margin = "-1 points"', "claims.0.margin: '-1 points' is negative: give 0 or more"),
        ('[[claims]]\ntext = "t"\nequal = {run = "a"}\nmargin = "1 points"', "equal, to and margin"),
        ('[[claims]]\ntext = "t"\nbetter = {run = "a"}\nthan = {run = "a"}', "are the same number"),
        ('[[claims]]\ntext = "t"\nabove = [1]\nbelow = [2]\nof = ["a"]', "one of lowest, highest, below and above"),
        ('[[claims]]\ntext = "t"\nread_in = {a = "b"}\ncells = ["a/tset"]', "no cell 'a/tset': did you mean 'a/test'"),
        (
            '[[claims]]\ntext = "t"\nread_in = {b = "a"}\ncells = ["a/test"]',
            "the run that the cells of 'a' are of",
        ),
        ('[[claims]]\ntext = "t"\nread_in = {a = "c"}\ncells = ["a/test"]', "no run is called 'c'"),
        ('[[claims]]\ntext = "t"\nbetter = {run = "a"}\nthan = {run = "b"}\nafter = 3', "after is of curves"),
        (
            '[[claims]]\ntext = "t"\nbetter = {run = "a", metric = "near_zero"}\nthan = {run = "b"}',
            "metric 'near_zero' goes with the part \"weights\"",
        ),
        ('[[claims]]\ntext = "t"\nbetter = {run = "a", part = "weights"}\nthan = {run = "b"}', 'part "weights"'),
    ],
)
def test_a_claim_that_cannot_be_is_refused_in_one_line(read, claim, told):
    with pytest.raises(UsageError) as error:
        read(claim)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_runs_that_a_scale_makes_one_are_not_compared(read):
    table = read('[[claims]]\ntext = "more images help"\nbetter = {run = "a"}\nthan = {run = "few"}')
    records = [record(run, k, accuracy=0.5 + 0.1 * (run == "a")) for run in ("a", "few") for k in range(3)]
    assert verdict(table, records).verdict == "confirmed"
    left = verdict(table, records, "tiny")
    assert (left.verdict, left.difference) == ("left out", None)
    assert left.evidence == "at tiny scale a/test and few/test are the same number"


@pytest.mark.parametrize(
    ("claim", "third", "words"),
    [
        ("above = [3]", (0.7, 0.71, 0.72), "confirmed"),
        ("above = [3]", (0.3, 0.31, 0.32), "refuted"),
        ("below = [3]", (0.3, 0.31, 0.32), "confirmed"),
        ("above = [3]", (0.7, 0.3, 0.5), "undecided"),
        ("above = [3]", (0.7,), "undecided (one seed)"),
        ("highest = [3]", (0.7, 0.71, 0.72), "confirmed"),
        ("highest = [3]", (0.52, 0.51, 0.53), "refuted"),  # above the mean, and not the highest: class 5 is
        ("lowest = [3]", (0.2, 0.25, 0.22), "confirmed"),
        ("lowest = [3]", (0.2,), "undecided (one seed)"),
        ("lowest = [99]", (0.2, 0.25, 0.22), "undecided (diverges)"),
    ],
)
def test_classes(read, claim, third, words):
    table = read(f'[[claims]]\ntext = "t"\n{claim}\nof = ["a"]')
    recalls = [[0.5 + 0.001 * k, 0.5, 0.5, x, 0.5, 0.6 - 0.001 * k, *[0.4] * 4] for k, x in enumerate(third)]
    assert verdict(table, [record("a", k, recall=r) for k, r in enumerate(recalls)]).verdict == words


def test_all_named_classes_must_lie_above_the_mean(read):
    table = read('[[claims]]\ntext = "t"\nabove = [0, 1]\nof = ["a", "b"]')
    high, low = [0.9, 0.9, *[0.4] * 8], [0.9, 0.2, *[0.4] * 8]
    both = [record(run, k, recall=np.array(high) + 0.01 * k) for run in "ab" for k in range(3)]
    assert verdict(table, both).verdict == "confirmed"
    found = verdict(table, both[:3] + [record("b", k, recall=np.array(low) + 0.01 * k) for k in range(3)])
    assert found.verdict == "refuted"
    assert "b: mean of all classes 44.0 %, 0 (91.0 %), 1 (21.0 %)" in found.evidence


def test_curves_are_compared_over_the_same_steps(read):
    pair = 'better = {run = "a", part = "running", metric = "loss"}\n'
    pair += 'than = {run = "a", part = "validation", metric = "loss"}'
    # The validation loss is the training loss plus 0.01, and both fall by 1 in ten steps: the running mean lags behind.
    curves = {"train": (math.nan, 2.5, 1.5, 0.5), "validation": (3.01, 2.01, 1.01, 0.01)}
    noisy = [record("a", k, **{n: tuple(x + 0.001 * k for x in c) for n, c in curves.items()}) for k in range(3)]
    found = verdict(read(f'[[claims]]\ntext = "t"\n{pair}\nafter = 10'), noisy)
    assert found.verdict == "confirmed"
    assert found.difference == pytest.approx(-0.01)


def test_where_a_number_was_read_is_told_by_its_distance(read):
    table = read('[[claims]]\ntext = "predictions before the explosion"\nread_in = {a = "b"}\ncells = ["a/test"]')
    # Reported is 0.11, the share of class 0, which a diverged run predicts.
    diverged = [record("a", k, failed=True) for k in range(3)]
    cases = (((0.2, 0.15, 0.3), "undecided"), ((0.2, 0.21, 0.19), "refuted"))
    for before, words in cases:
        assert verdict(table, diverged + [record("b", k, accuracy=x) for k, x in enumerate(before)]).verdict == words
    sound = [record("a", k, accuracy=0.3 + 0.01 * k) for k in range(3)]
    found = verdict(table, sound + [record("b", k, accuracy=x) for k, x in enumerate((0.111, 0.109, 0.11))])
    assert found.verdict == "confirmed"
    assert found.evidence == "mean distance from 1 reported numbers, read so and as they are: 0.0007 and 0.2000"


def test_numbers_of_weights_and_of_noise_are_measured(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text("""
title = "Digits"
[protocol]
data = "digits"
epochs = 4
learning_rate = 0.05
evaluate_every = 5
initializer = "zero"
[runs.l1]
settings = {l1 = 0.05}
[runs.l2]
settings = {l2 = 0.05}
[[cells]]
run = "l1"
reported = "0.1"
[[claims]]
text = "L1 makes weights zero"
better = {run = "l1", part = "weights", metric = "near_zero"}
than = {run = "l2", part = "weights", metric = "near_zero"}
[[claims]]
text = "noise"
better = {run = "l1", part = "running", metric = "loss_noise"}
than = {run = "l2", part = "running", metric = "loss_noise"}
[scales.full]
seeds = 3
""")
    request = TableRequest(read_table(str(path)))
    result = reproduce(request, tmp_path / "run", lambda event: None)
    assert result.claims[0].verdict == "confirmed"
    assert 0.1 < result.claims[0].difference < 1
    assert result.claims[1].difference is not None


def test_noise_is_what_neighbors_differ_by(read):
    table = read(
        '[[claims]]\ntext = "t"\nbetter = {run = "a", part = "running", metric = "loss_noise"}\n'
        'than = {run = "b", part = "running", metric = "loss_noise"}'
    )
    steady, noisy = record("a", train=(9.0, 9.0, 1.0, 1.1)), record("b", train=(9.0, 9.0, 1.0, 1.4))
    measure = table.claims[0].better
    assert number_of(steady, table, measure) == pytest.approx(0.1 / math.sqrt(2))
    assert number_of(noisy, table, measure) == pytest.approx(0.4 / math.sqrt(2))
