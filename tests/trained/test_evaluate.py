"""Evaluation against a literal computation and scikit-learn."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn import metrics

from tenfold.data.batches import Part
from tenfold.engine.models.mlp import MLP
from tenfold.files import as_json
from tenfold.rooms import find
from tenfold.trained import evaluate
from tenfold.trained.statistics import wilson

NAMES = ("ant", "bee", "cat", "dog")
BLOCKS = (("softmax", 2), ("hinge", 1), ("sigmoid", 2))


def made(rng, n=1203):
    """A population of five and a part: some images in an order of its own, more than two slices, the last one short."""
    images = torch.from_numpy(rng.integers(0, 256, (n + 300, 1, 3, 4), dtype=np.uint8))
    labels = torch.from_numpy(rng.integers(0, 4, n + 300))
    rows = torch.from_numpy(rng.permutation(n + 300)[:n])
    factor, offset = (torch.from_numpy(rng.random(12)) for _ in range(2))
    model = MLP(12, 4, (6,), "tanh")
    return model, model.init([0, 1, 2, 3, 4]), Part(images, labels, rows, factor / 255, offset)


def literal_scores(params, part, member):
    x = part.images[part.rows].flatten(1).double() * part.factor + part.offset
    h = torch.tanh(x @ params["hidden1.weight"][member].T + params["hidden1.bias"][member])
    return h @ params["scores.weight"][member].T + params["scores.bias"][member]


@pytest.mark.parametrize("n", [1203, 1000, 1, 499])
def test_the_scores_of_each_member_are_exact(rng, n):
    model, params, part = made(rng, n)
    losses = [(find("losses", word), count) for word, count in BLOCKS]
    found = evaluate.evaluate(model, params, part, losses)
    words, y = [word for word, count in BLOCKS for _ in range(count)], part.labels[part.rows]
    assert {scores.dtype for scores in found} == {torch.float64}
    for k, word in enumerate(words):
        z = literal_scores(params, part, k)
        torch.testing.assert_close(found.loss[k], find("losses", word)(z, y)[0], rtol=1e-12, atol=0)
        assert float(found.accuracy[k]) == metrics.accuracy_score(y, z.argmax(1))
        of_class = metrics.recall_score(y, z.argmax(1), labels=range(4), average=None, zero_division=0.0)
        assert found.recall[k].tolist() == pytest.approx(of_class, rel=1e-14)
        averages = metrics.precision_recall_fscore_support(y, z.argmax(1), average="macro", zero_division=0.0)
        for name, wanted in zip(("macro_precision", "macro_recall", "macro_f1"), averages, strict=False):
            assert float(getattr(found, name)[k]) == pytest.approx(wanted, rel=1e-14)
        assert int(found.absent[k]) == 4 - len(set(y.tolist()) | set(z.argmax(1).tolist()))


def test_a_member_that_is_not_finite_leaves_the_others_as_they_are(rng):
    model, params, part = made(rng)
    losses = [(find("losses", "softmax"), 5)]
    clean = evaluate.evaluate(model, params, part, losses)
    params["scores.weight"][2] = torch.nan
    for before, after in zip(clean, evaluate.evaluate(model, params, part, losses), strict=True):
        assert torch.equal(before[[0, 1, 3, 4]], after[[0, 1, 3, 4]])


@pytest.mark.parametrize("classes", [4, 3, 2, 1])
@pytest.mark.parametrize("n", [10, 200, 3000])
def test_metrics_are_those_of_scikit_learn(rng, n, classes):
    """The last classes may occur in no label, and then only in some of the answers, or nowhere."""
    labels = rng.integers(0, classes, n)
    predicted = np.where(rng.random(n) < 0.6, labels, rng.integers(0, 3, n))  # the last class is rarely predicted
    found = evaluate.measure(labels, predicted, NAMES)
    options = {"average": "macro", "zero_division": 0.0}
    assert found.accuracy == metrics.accuracy_score(labels, predicted)
    assert found.macro_precision == pytest.approx(metrics.precision_score(labels, predicted, **options), rel=1e-14)
    assert found.macro_recall == pytest.approx(metrics.recall_score(labels, predicted, **options), rel=1e-14)
    assert found.macro_f1 == pytest.approx(metrics.f1_score(labels, predicted, **options), rel=1e-14)
    assert found.n == n
    report = metrics.classification_report(
        labels, predicted, labels=range(4), target_names=NAMES, output_dict=True, zero_division=0.0
    )
    there = {NAMES[k] for k in {*labels.tolist(), *predicted.tolist()}}
    assert found.absent == 4 - len(there)
    for entry in found.per_class:
        wanted = report[entry.class_]
        assert entry.n == wanted["support"]
        if entry.class_ not in there:
            assert (entry.precision, entry.recall, entry.f1) == (None, None, None)
            continue
        assert [entry.precision, entry.recall, entry.f1] == pytest.approx(
            [wanted[key] for key in ("precision", "recall", "f1-score")], rel=1e-14
        )


def test_a_perfect_model_on_two_of_its_four_classes_is_perfect():
    labels = np.array([0, 0, 1, 1])
    found = evaluate.measure(labels, labels, NAMES)
    assert (found.macro_precision, found.macro_recall, found.macro_f1) == (1.0, 1.0, 1.0)
    assert found.macro_f1_interval == (1.0, 1.0)
    assert found.absent == 2
    assert found.brief.absent == 2
    # A class that is only predicted counts 0: one answer of it is a mistake.
    assert evaluate.measure(labels, np.array([0, 0, 1, 2]), NAMES).macro_f1 == pytest.approx((1 + 2 / 3 + 0) / 3)


def test_the_scores_of_a_member_leave_out_what_neither_occurs_nor_is_predicted():
    """One input feature a class: the model answers with the largest, and all labels are of the first two."""
    images = torch.eye(4, dtype=torch.float32)[[0, 1, 0, 1]].view(4, 1, 2, 2)
    part = Part(images, torch.tensor([0, 1, 0, 1]), torch.arange(4), torch.ones(4), torch.zeros(4))
    model = find("models", "linear")(4, 4)
    params = {"scores.weight": torch.eye(4)[None], "scores.bias": torch.zeros(1, 4)}
    scored = evaluate.evaluate(model, params, part, [(find("losses", "softmax"), 1)])
    assert (scored.macro_f1.tolist(), scored.macro_recall.tolist(), scored.absent.tolist()) == ([1.0], [1.0], [2])


def test_metrics_of_a_class_by_hand():
    found = evaluate.measure(np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 0, 0]), ("a", "b", "c"))
    assert as_json(found.per_class[0]) == {
        "class": "a",
        "n": 3,
        "precision": 0.5,
        "recall": 2 / 3,
        "recall_interval": list(wilson(2, 3)),
        "f1": pytest.approx(4 / 7),
    }
    missed = {"precision": 0.0, "recall": 0.0, "recall_interval": list(wilson(0, 1)), "f1": 0.0}
    assert as_json(found.per_class[2]) == {"class": "c", "n": 1, **missed}
    assert found.accuracy == 0.5


@pytest.mark.parametrize(("right", "n"), [(0, 10), (1, 10), (5, 10), (10, 10), (9791, 10000), (0, 1), (360, 360)])
def test_the_interval_is_wilsons(right, n):
    z, p = 1.959963984540054, right / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = wilson(right, n)
    assert (low, high) == pytest.approx((max(0.0, middle - half), min(1.0, middle + half)), rel=1e-9, abs=1e-12)
    assert 0 <= low <= p <= high <= 1


def test_the_interval_is_that_of_the_literature():
    """Newcombe (1998), table I, method 3: 81 of 263, and 15 of 148."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)


@pytest.mark.parametrize("n", [1, 7, 148, 10_000])
def test_the_interval_is_that_of_scipy(n, rng):
    for right in {0, n, *rng.integers(0, n + 1, 20).tolist()}:
        oracle = stats.binomtest(right, n).proportion_ci(0.95, method="wilson")
        assert wilson(right, n) == pytest.approx((oracle.low, oracle.high), rel=1e-13, abs=1e-15)
    assert wilson(0, 0) is None
