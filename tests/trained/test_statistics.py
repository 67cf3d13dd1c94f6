"""Paired tests and intervals against literal computations, and two run folders side by side."""

import csv
import json
import math
import re
import shutil
import tracemalloc

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import f1_score

import tenfold
from tenfold.cli import main
from tenfold.errors import FileError, RunError
from tenfold.report.compare import compare_runs
from tenfold.trained import statistics


def pair(both, first_only, second_only, neither):
    """Images of the four kinds."""
    counts = (both, first_only, second_only, neither)
    return np.repeat([True, True, False, False], counts), np.repeat([True, False, True, False], counts)


@pytest.mark.parametrize(("b", "c"), [(0, 0), (1, 0), (5, 0), (6, 0), (3, 9), (9, 3), (40, 40), (120, 80)])
def test_mcnemar_is_the_tails_of_a_fair_coin(b, c):
    found = statistics.mcnemar(*pair(7, b, c, 5))
    tail = sum(math.comb(b + c, k) for k in range(min(b, c) + 1)) / 2 ** (b + c)
    assert found["p"] == pytest.approx(min(1.0, 2 * tail), rel=1e-9)
    assert [found[name] for name in ("n", "both", "first_only", "second_only", "neither")] == [12 + b + c, 7, b, c, 5]


def test_mcnemar_of_the_order_that_images_come_in(rng):
    first, second = rng.random(300) < 0.8, rng.random(300) < 0.7
    order = rng.permutation(300)
    assert statistics.mcnemar(first, second) == statistics.mcnemar(first[order], second[order])


def test_the_interval_is_clopper_and_pearsons_of_the_images_that_differ():
    for b, c in ((1, 0), (6, 0), (0, 6), (3, 9), (40, 40), (120, 80)):
        share = stats.binomtest(b, b + c).proportion_ci(0.95, method="exact")
        wanted = ((b + c) * (2 * share.low - 1) / 300, (b + c) * (2 * share.high - 1) / 300)
        assert statistics.difference_interval(b, c, 300) == pytest.approx(wanted, rel=1e-9, abs=1e-12)


def test_the_interval_leaves_out_zero_exactly_where_the_test_shows_a_difference():
    """Every pair of counts up to 80, and in the sentence as it is printed."""
    shown = 0
    for b in range(81):
        for c in range(81):
            pair_of = statistics.paired(*pair(10, b, c, 10))
            if not b + c:
                assert (pair_of["interval"], pair_of["p"]) == (None, 1.0)
                continue
            low, high = pair_of["interval"]
            assert (low > 0 or high < 0) == (pair_of["p"] < 0.05), (b, c)
            assert low <= pair_of["difference"] <= high
            text = statistics.sentence("A", "B", pair_of)
            low, high = map(float, re.search(r"interval (\S+) to (\S+),", text).groups())
            assert (low > 0 or high < 0) == (" beats " in text), text
            shown += " beats " in text
    assert 3000 < shown < 6000


def test_the_interval_holds_the_difference_as_often_as_it_says(rng):
    """10 of 100 images differ, 7 of those on average by the first: conditional on how many, it errs in 5 % at most."""
    missed = 0
    for differ in rng.binomial(100, 0.1, 2000).tolist():
        b = int(rng.binomial(differ, 0.7))
        bounds = statistics.difference_interval(b, differ - b, 100)
        missed += bounds is not None and not bounds[0] <= differ * 0.4 / 100 <= bounds[1]
    assert missed <= 0.05 * 2000


def test_intervals_of_nothing_and_of_no_difference():
    assert statistics.difference_interval(0, 0, 8) is None
    none = np.zeros(0, dtype=np.int64)
    assert all(math.isnan(bound) for bound in statistics.macro_f1_interval(none, none, 3))


def test_the_interval_of_macro_f1_is_that_of_drawing_images(rng):
    n = 80
    labels = rng.integers(0, 4, n)
    predicted = np.where(rng.random(n) < 0.7, labels, rng.integers(0, 4, n))
    drawn = []
    for _ in range(600):
        rows = rng.integers(0, n, n)
        drawn.append(f1_score(labels[rows], predicted[rows], average="macro", zero_division=0.0))
    low, high = statistics.macro_f1_interval(labels, predicted, 5)
    assert (low, high) == pytest.approx(tuple(np.percentile(drawn, (2.5, 97.5))), abs=0.15 * np.std(drawn) + 0.005)


def test_macro_f1_of_counts_is_that_of_scikit_learn(rng):
    labels, predicted = rng.integers(0, 6, 40), rng.integers(0, 7, 40)
    counts = np.bincount(labels * 8 + predicted, minlength=64)[None]
    wanted = f1_score(labels, predicted, average="macro", zero_division=0.0)
    assert statistics._macro_f1(counts, 8)[0] == pytest.approx(wanted, rel=1e-12)


def test_resampling_a_hundred_classes_takes_little_memory(rng, monkeypatch):
    labels = rng.integers(0, 100, 10_000)
    predicted = np.where(rng.random(10_000) < 0.6, labels, rng.integers(0, 100, 10_000))
    tracemalloc.start()
    found = statistics.macro_f1_interval(labels, predicted, 100, resamples=500)
    assert tracemalloc.get_traced_memory()[1] < 30e6
    tracemalloc.stop()
    monkeypatch.setattr(statistics, "_CELLS", 370_000)
    assert statistics.macro_f1_interval(labels, predicted, 100, resamples=500) == found


def test_a_choice_by_few_images_is_a_warning(rng):
    """80 equally good settings whose images are drawn apart: the best looks better by what is said, or a bit less."""
    for n, share in ((6, 0.5), (50, 0.8), (400, 0.9)):
        best = (rng.binomial(n, share, (2000, 80)).max(1) / n).mean()
        assert 0.6 * statistics.chance_lift(80, share, n) < best - share <= 1.02 * statistics.chance_lift(80, share, n)
    (warning,) = statistics.too_few(80, 1.0, 6)
    assert warning.startswith("6 validation images chose between 80 settings: were all equally good, the best of them")
    assert statistics.too_few(80, 0.5, 5000) == statistics.too_few(1, 0.5, 6) == statistics.too_few(80, None, 6) == []


def test_guessing_is_dealing_the_answers_at_random(rng):
    for n, share in ((12, 0.5), (60, 0.9), (400, 0.2)):
        labels = rng.choice(3, n, p=[share, (1 - share) / 2, (1 - share) / 2])
        predicted = np.where(rng.random(n) < 0.25, labels, rng.integers(0, 3, n))
        hits = np.array([(labels == rng.permutation(predicted)).sum() for _ in range(4000)])
        by_luck, p = statistics.guessing(labels, predicted)
        assert by_luck == pytest.approx(hits.mean() / n, abs=4 * hits.std() / n / 60)
        assert p == pytest.approx((hits >= (labels == predicted).sum()).mean(), abs=0.04)


def test_answers_without_looking_are_guesses_and_others_are_not(rng):
    """With 95 % in one class a constant answer is right for most; finding the few is no guess, if right less often."""
    labels = (rng.random(400) < 0.05).astype(np.int64)
    assert statistics.guessing(labels, np.zeros(400, dtype=np.int64))[1] == 1.0
    alarmed = np.where(rng.random(400) < 0.15, 1 - labels, labels)
    assert (alarmed == labels).mean() < 1 - labels.mean()
    assert statistics.guessing(labels, alarmed)[1] < 1e-6
    by_chance = [statistics.guessing(labels, rng.permutation(alarmed))[1] < 0.05 for _ in range(400)]
    assert np.mean(by_chance) < 0.08


def told(*counts):
    return statistics.sentence("A", "B", statistics.paired(*pair(*counts)))


def test_the_sentence_names_the_winner_whichever_it_is():
    found = statistics.paired(*pair(9000, 300, 180, 520))
    low, high = (f"{100 * bound:.2f}" for bound in found["interval"])
    wanted = f"A beats B by 1.20 points (95 % interval {low} to {high}, 10,000 images, exact McNemar p < 0.0001)."
    assert statistics.sentence("A", "B", found) == wanted
    swapped = statistics.paired(*pair(9000, 180, 300, 520))
    low, high = (f"{-100 * bound:.2f}" for bound in reversed(swapped["interval"]))
    wanted = f"B beats A by 1.20 points (95 % interval {low} to {high}, 10,000 images, exact McNemar p < 0.0001)."
    assert statistics.sentence("A", "B", swapped) == wanted
    assert 0 < float(low) < 1.2 < float(high)


def test_the_sentence_claims_nothing_that_is_not_shown():
    for ahead, counts in (("A", (80, 6, 4, 10)), ("B", (80, 4, 6, 10))):
        text = told(*counts)
        assert text.startswith(f"No difference shown between A and B: {ahead} is ahead by 2.0 points (95 % interval -")
        assert text.endswith("100 images, exact McNemar p = 0.75).")
    assert "they are right equally often (95 % interval -" in told(80, 5, 5, 10)
    assert told(80, 0, 0, 10) == (
        "No difference shown between A and B: they are right on exactly the same images (n = 90)."
    )


def test_the_sentence_of_a_single_image():
    assert told(0, 1, 0, 0).endswith("(95 % interval -95.0 to 100.0, 1 image, exact McNemar p = 1).")
    assert told(1, 0, 0, 0).endswith("(n = 1).")


def test_the_sentence_and_its_p_agree_about_the_level():
    """Five of five is p = 0.0625, six of six 0.03125; 51 and 32 are close to the level."""
    assert told(9, 5, 0, 9).startswith("No difference")
    assert told(9, 6, 0, 9).startswith("A beats B")
    assert statistics.p_value(0.0496) == "0.0496"
    assert statistics.p_value(0.0501) == "0.0501"
    assert statistics.p_value(0.0003) == "0.0003"


def literal_holm(p):
    """A hypothesis' adjusted p: the least level at which the step-down procedure rejects it."""
    order = sorted(range(len(p)), key=p.__getitem__)
    adjusted = [0.0] * len(p)
    for rank, index in enumerate(order):
        adjusted[index] = min(1.0, max((len(p) - j) * p[order[j]] for j in range(rank + 1)))
    return adjusted


@pytest.mark.parametrize("n", [0, 1, 2, 12])
def test_holm_is_the_step_down_procedure(rng, n):
    p = np.round(rng.random(n) ** 3, 2).tolist()
    assert statistics.holm(p) == pytest.approx(literal_holm(p))


def test_classes_are_compared_one_by_one(rng):
    labels = rng.integers(0, 3, 200)
    first, second = rng.random(200) < 0.9, rng.random(200) < 0.6
    rows = statistics.by_class(labels, first, second, ("ant", "bee", "cat", "none"))
    for label, row in enumerate(rows[:3]):
        own = labels == label
        assert row["n"] == own.sum()
        assert row["first_accuracy"] == pytest.approx(first[own].mean())
        assert row["second_accuracy"] == pytest.approx(second[own].mean())
        assert row["difference"] == pytest.approx(first[own].mean() - second[own].mean())
        assert row["p"] == statistics.mcnemar(first[own], second[own])["p"]
    assert [row["p_holm"] for row in rows[:3]] == pytest.approx(literal_holm([row["p"] for row in rows[:3]]))
    assert rows[3] == {"class": "none", "n": 0} | dict.fromkeys(
        ("first_accuracy", "second_accuracy", "difference", "p", "p_holm")
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """good and poor share a split, moved has another one, other says that it had other data."""
    root = tmp_path_factory.mktemp("runs")
    y = np.arange(240) % 3
    x = np.random.default_rng(0).random((240, 6)) + 0.9 * np.eye(3)[y].repeat(2, axis=1)
    np.savez(root / "ours.npz", x=x.astype(np.float32), y=y)
    for name, choices in {
        "good": {"epochs": 20, "learning_rate": [0.1, 0.01]},
        "poor": {"iterations": 1, "learning_rate": 1e-6, "initializer": "normal", "init_seed": 2},
        "moved": {"epochs": 1, "seed": 5},
    }.items():
        tenfold.train(root / "ours.npz", out=root / name, **choices)
    said = shutil.copytree(root / "good", root / "other") / "resolved.json"
    said.write_text(said.read_text().replace('"fingerprint": "', '"fingerprint": "not'))
    return root


def table(folder, name="predictions.csv"):
    with (folder / name).open(newline="") as file:
        rows = list(csv.DictReader(file))
    columns = ["position", "label", next(column for column in rows[0] if re.match("predicted (?!class)", column))]
    return columns, np.array([[int(row[column]) for column in columns] for row in rows])


def test_two_runs_are_compared_on_their_test_images(runs):
    found = compare_runs(runs / "good", runs / "poor")
    (_, good), (_, poor) = table(runs / "good"), table(runs / "poor")
    np.testing.assert_array_equal(good[:, 0], poor[:, 0])
    right_good, right_poor = good[:, 1] == good[:, 2], poor[:, 1] == poor[:, 2]
    wanted = statistics.paired(right_good, right_poor)
    assert {name: found[name] for name in wanted} == wanted
    assert found["n"] == 48
    assert found["difference"] > 0.2
    assert found["sentence"] == statistics.sentence("good", "poor", wanted)
    assert found["sentence"].startswith("good beats poor by ")
    assert found["same_predictions"] == pytest.approx((good[:, 2] == poor[:, 2]).mean())
    assert found["first"]["settings"]["learning_rate"] in (0.1, 0.01)
    assert found["second"]["settings"]["learning_rate"] == 1e-6
    assert found["first"]["accuracy"] == pytest.approx(right_good.mean())
    assert sum(row["n"] for row in found["per_class"]) == 48
    assert found["part"] == "test"
    assert found["notes"] == []
    assert compare_runs(runs / "good", runs / "poor") == found


def test_rows_are_paired_by_position_not_by_place(runs, tmp_path):
    shuffled = shutil.copytree(runs / "poor", tmp_path / "shuffled")
    lines = (shuffled / "predictions.csv").read_text().splitlines()
    (shuffled / "predictions.csv").write_text("\n".join([lines[0], *reversed(lines[11:])]) + "\n")
    found, whole = (compare_runs(runs / "good", folder) for folder in (shuffled, runs / "poor"))
    assert found["n"] == 38
    assert found["notes"] == ["10 test images of good left out: the other run was not tested on them"]
    _, good = table(runs / "good")
    assert found["first"]["accuracy"] == pytest.approx((good[10:, 1] == good[10:, 2]).mean())
    assert whole["n"] == 48


def test_only_images_that_both_were_tested_on_count(runs):
    found = compare_runs(runs / "good", runs / "moved")
    (_, good), (_, moved) = table(runs / "good"), table(runs / "moved")
    shared = sorted(set(good[:, 0]) & set(moved[:, 0]))
    assert 0 < found["n"] == len(shared) < 48
    assert len(found["notes"]) == 2
    rows = {row[0]: row for row in good}
    assert found["first"]["accuracy"] == pytest.approx(np.mean([rows[s][1] == rows[s][2] for s in shared]))


def test_a_run_with_itself_is_no_difference(runs):
    found = compare_runs(runs / "good", runs / "good")
    assert found["p"] == 1.0
    where = str(runs / "good")
    assert found["sentence"].startswith(f"No difference shown between {where} and {where}: they are right on exactly")


def stopped(folder, where):
    """The same run, as it is left when it is stopped before it looks at the test images."""
    copy = shutil.copytree(folder, where)
    result = json.loads((copy / "result.json").read_text())
    (copy / "result.json").write_text(json.dumps(result | {"part": "validation", "state": "interrupted", "test": None}))
    (copy / "predictions.csv").unlink()
    return copy


def test_stopped_runs_are_compared_on_validation_images_and_say_so(runs, tmp_path):
    a, b = (stopped(runs / name, tmp_path / name) for name in ("good", "poor"))
    found = compare_runs(a, b)
    assert found["part"] == "validation"
    assert found["n"] == len(table(a, "validation-predictions.csv")[1])
    assert any("validation images, by which their models were chosen" in note for note in found["notes"])


def test_what_cannot_be_compared_is_one_plain_line(runs, tmp_path):
    half = shutil.copytree(runs / "good", tmp_path / "half")
    (half / "result.json").unlink()
    apart = shutil.copytree(runs / "good", tmp_path / "apart")
    lines = (apart / "predictions.csv").read_text().splitlines()
    (apart / "predictions.csv").write_text(
        "\n".join(lines[:1] + [re.sub(",", ",9", line, count=1) for line in lines[1:]])
    )
    wrong = shutil.copytree(runs / "good", tmp_path / "wrong")
    place = lines[0].split(",").index("label")
    rows = [line.split(",") for line in lines[1:]]
    swapped = [",".join([*row[:place], str(2 - int(row[place])), *row[place + 1 :]]) for row in rows]
    (wrong / "predictions.csv").write_text("\n".join([lines[0], *swapped]) + "\n")
    for other, part in (
        (runs / "other", "trained on different data"),
        (runs, "is not a run folder"),
        (tmp_path / "absent", "is not a run folder"),
        (half, "has no result yet"),
        (apart, "share no test image"),
        (wrong, "disagree about the labels of"),
        (stopped(runs / "poor", tmp_path / "stopped"), "was stopped before it looked at test images"),
    ):
        for sides in ((runs / "good", other), (other, runs / "good")):
            with pytest.raises(RunError, match=part) as caught:
                compare_runs(*sides)
            assert "\n" not in str(caught.value)
            assert other.name in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("metrics.csv", b"\xff\xfe"),
        ("metrics.csv", None),
        ("predictions.csv", b"position,label\n1,one\n"),
        ("resolved.json", b'{"data": []}'),
        ("result.json", b'{"data": 1, "best_rung": {}, "part": "test", "settings": {}}'),
    ],
)
def test_files_that_were_spoiled_are_one_plain_line(runs, tmp_path, name, content):
    spoiled = shutil.copytree(runs / "good", tmp_path / "spoiled")
    (spoiled / name).unlink()
    if content is not None:
        (spoiled / name).write_bytes(content)
    with pytest.raises(FileError, match=r"spoiled.*restore it from a copy") as caught:
        compare_runs(runs / "poor", spoiled)
    assert "\n" not in str(caught.value)


def command(words, capsys):
    with pytest.raises(SystemExit) as end:
        main(["compare", *map(str, words)])
    return end.value.code, capsys.readouterr()


def test_the_command_prints_tables_and_the_sentence(runs, capsys):
    code, shown = command((runs / "good", runs / "poor"), capsys)
    assert code == 0
    found = compare_runs(runs / "good", runs / "poor")
    assert found["sentence"] in shown.out
    assert f"first right {found['both']:>13} {found['first_only']:>13}" in shown.out
    assert f"{100 * found['first']['accuracy']:.2f}" in shown.out
    assert max(map(len, shown.out.splitlines())) <= max(80, len(found["sentence"]), len(str(runs)) + 40)
    assert command((runs / "good", runs / "poor"), capsys)[1].out == shown.out


def test_the_command_prints_one_json_object(runs, capsys):
    code, shown = command((runs / "good", runs / "poor", "--json"), capsys)
    assert code == 0
    wanted = json.loads(json.dumps(compare_runs(runs / "good", runs / "poor")))
    assert json.loads(shown.out) == wanted
    code, shown = command((runs / "good", runs / "other", "--json"), capsys)
    assert code == 1
    assert "different data" in json.loads(shown.out)["error"]["message"]
