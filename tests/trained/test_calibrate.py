"""Temperature, calibration error and abstention against literal computations."""

import math

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from tenfold.trained import calibrate


def smoothed_cost(z, labels, temperature):
    """The smoothed cross-entropy, target by target."""
    n, classes = z.shape
    targets = np.full((n, classes), 1 / (n + 2) / (classes - 1))
    targets[np.arange(n), labels] = (n + 1) / (n + 2)
    return -np.mean(np.sum(targets * log_softmax(z / temperature, axis=1), axis=1))


def fitted(z, labels):
    return calibrate.temperature(lambda t: softmax(z / t, axis=1), labels)


@pytest.mark.parametrize(("n", "classes", "spread"), [(300, 4, 1.0), (300, 4, 6.0), (50, 10, 0.3), (20, 2, 3.0)])
def test_the_temperature_is_the_best_of_a_fine_grid(rng, n, classes, spread):
    z, labels = spread * rng.normal(size=(n, classes)), rng.integers(0, classes, n)
    z[np.arange(n), labels] += spread
    grid = np.exp(np.linspace(-math.log(20), math.log(20), 4001))
    wanted = grid[np.argmin([smoothed_cost(z, labels, t) for t in grid])]
    assert fitted(z, labels) == pytest.approx(wanted, rel=2e-3)


def test_it_finds_the_temperature_that_labels_were_drawn_with(rng):
    z = 4 * rng.normal(size=(20000, 5))
    labels = np.array([rng.choice(5, p=p) for p in softmax(z / 2.5, axis=1)])
    assert fitted(z, labels) == pytest.approx(2.5, rel=0.05)


def test_it_scales_with_the_scores(rng):
    z, labels = rng.normal(size=(400, 3)), rng.integers(0, 3, 400)
    z[np.arange(400), labels] += 1
    assert fitted(3 * z, labels) == pytest.approx(3 * fitted(z, labels), rel=1e-3)


@pytest.mark.parametrize("n", [1, 10, 5000])
def test_a_part_without_a_mistake_is_no_reason_for_certainty(n):
    """Two classes, every margin 4: the smoothed optimum is a confidence of (n + 1) / (n + 2), T = 4 / ln(n + 1)."""
    z = np.tile([4.0, 0.0], (n, 1))
    assert fitted(z, np.zeros(n, dtype=np.int64)) == pytest.approx(4 / math.log(n + 1), rel=1e-3)


def test_it_stays_between_its_bounds(rng):
    wrong = np.tile([9.0, 0.0], (50, 1))
    assert fitted(wrong, np.ones(50, dtype=np.int64)) == pytest.approx(20, rel=1e-3)
    timid = np.tile([1e-3, 0.0], (5000, 1))
    assert fitted(timid, np.zeros(5000, dtype=np.int64)) == pytest.approx(1 / 20, rel=1e-3)


@pytest.mark.parametrize("seed", range(8))
def test_it_is_never_worse_than_no_temperature(seed):
    """The sigmoid's shares of a sum, whose cost may have several minima."""
    rng = np.random.default_rng(seed)
    z, labels = 8 * rng.normal(size=(40, 5)) - 6, rng.integers(0, 5, 40)

    def shares(t):
        return softmax(-np.logaddexp(0, -z / t), axis=1)

    def cost(t):
        logs, n = np.log(np.maximum(shares(t), np.finfo(float).tiny)), len(z)
        label = logs[np.arange(n), labels]
        return -np.mean((n + 1) / (n + 2) * label + (logs.sum(1) - label) / (n + 2) / 4)

    found = calibrate.temperature(shares, labels)
    assert cost(found) <= cost(1.0) + 1e-12
    assert cost(found) <= min(cost(t) for t in np.exp(np.linspace(-3, 3, 25))) + 1e-3


def test_nothing_to_go_by_is_a_temperature_of_one():
    assert fitted(np.zeros((0, 3)), np.zeros(0, dtype=np.int64)) == 1.0
    assert fitted(np.full((4, 3), np.nan), np.zeros(4, dtype=np.int64)) == 1.0
    z = np.tile([9.0, 0.0], (4, 1))
    unknown = calibrate.temperature(
        lambda t: softmax(z / t, axis=1) if t > 2 else np.full(z.shape, np.nan), np.ones(4, dtype=np.int64)
    )
    assert unknown == 1.0
    # Every temperature is as good: scores that are far beyond any, and a single class.
    assert fitted(np.tile([1e6, 0.0], (4, 1)), np.zeros(4, dtype=np.int64)) == 1.0
    assert fitted(np.ones((4, 1)), np.zeros(4, dtype=np.int64)) == 1.0


def test_temperatures_without_finite_probabilities_are_passed_over(rng):
    z, labels = 5 * rng.normal(size=(200, 3)), rng.integers(0, 3, 200)

    def shares(t):
        return softmax(z / t, axis=1) if t > 0.4 else np.full(z.shape, np.nan)

    assert calibrate.temperature(shares, labels) == pytest.approx(fitted(z, labels), rel=1e-3)


def literal_bins(confidence, right, bins):
    """Images of each bin: above its lower edge, up to its upper one; the first holds 0 too."""
    edges = np.linspace(0, 1, bins + 1)
    for k in range(bins):
        inside = [i for i, c in enumerate(confidence) if edges[k] < c <= edges[k + 1] or (k == 0 and c == 0)]
        yield [confidence[i] for i in inside], [bool(right[i]) for i in inside]


@pytest.mark.parametrize("bins", [15, 10, 1])
@pytest.mark.parametrize("n", [1, 7, 500])
def test_the_calibration_errors_are_those_of_a_loop_over_bins(rng, n, bins):
    # Rounded: many lie on an edge.
    confidence, right = np.round(rng.random(n), 1), rng.random(n) < 0.7
    expected, largest, total = 0.0, 0.0, 0
    found = calibrate.reliability(confidence, right, bins)
    assert found.edges.shape == (bins + 1,)
    for k, (inside, hits) in enumerate(literal_bins(confidence, right, bins)):
        assert found.images[k] == len(inside)
        total += len(inside)
        if inside:
            gap = abs(np.mean(hits) - np.mean(inside))
            expected, largest = expected + len(inside) * gap / n, max(largest, gap)
            assert found.accuracy[k] == pytest.approx(np.mean(hits))
            assert found.confidence[k] == pytest.approx(np.mean(inside))
        else:
            assert np.isnan(found.accuracy[k])
            assert np.isnan(found.confidence[k])
    assert total == n
    assert calibrate.calibration_error(confidence, right, bins) == pytest.approx(expected, abs=1e-12)
    assert calibrate.maximum_calibration_error(confidence, right, bins) == pytest.approx(largest, abs=1e-12)


def test_edges_belong_to_the_bin_below_them():
    found = calibrate.reliability(np.array([0.0, 0.5, 0.5, 1.0]), np.array([True, True, False, True]), bins=2)
    np.testing.assert_array_equal(found.images, [3, 1])


def test_a_perfect_forecast_has_no_calibration_error_and_a_hopeless_one_all():
    sure = np.ones(6)
    assert calibrate.calibration_error(sure, sure > 0) == 0.0
    assert calibrate.calibration_error(sure, sure < 0) == 1.0


def test_images_without_a_confidence_are_left_out_and_none_is_nan():
    confidence, right = np.array([0.9, np.nan, 0.7]), np.array([True, False, False])
    kept = calibrate.calibration_error(confidence[[0, 2]], right[[0, 2]])
    assert calibrate.calibration_error(confidence, right) == kept
    nothing, none = np.zeros(0), np.zeros(0, dtype=bool)
    assert math.isnan(calibrate.calibration_error(nothing, none))
    assert math.isnan(calibrate.maximum_calibration_error(nothing, none))


@pytest.mark.parametrize("digits", [1, 9])
@pytest.mark.parametrize("n", [1, 8, 300])
def test_abstention_is_what_a_threshold_after_the_other_answers(rng, n, digits):
    confidence, right = np.round(rng.random(n), digits), rng.random(n) < 0.8
    curve = calibrate.abstention(confidence, right)
    thresholds = sorted(set(confidence.tolist()), reverse=True)
    answered = [confidence >= t for t in thresholds]
    np.testing.assert_array_equal(curve.threshold, thresholds)
    np.testing.assert_allclose(curve.share, [a.mean() for a in answered], rtol=1e-12)
    np.testing.assert_allclose(curve.accuracy, [right[a].mean() for a in answered], rtol=1e-12)
    assert curve.share[-1] == 1.0
    assert curve.accuracy[-1] == pytest.approx(right.mean())
    for share in (0.0, 0.3, 0.8, 1.0):
        first = next(k for k, a in enumerate(answered) if a.mean() >= share)
        assert calibrate.accuracy_at(curve, share) == pytest.approx(right[answered[first]].mean())


def test_equally_sure_images_are_answered_together():
    curve = calibrate.abstention(np.array([0.9, 0.5, 0.5, 0.5]), np.array([True, False, True, True]))
    np.testing.assert_array_equal(curve.share, [0.25, 1.0])
    np.testing.assert_array_equal(curve.accuracy, [1.0, 0.75])
    assert calibrate.accuracy_at(curve, 0.5) == 0.75


def test_eight_of_ten_are_eighty_percent():
    confidence = np.linspace(1, 0.1, 10)
    curve = calibrate.abstention(confidence, confidence > 0.25)
    for share in (0.1, 0.3, 0.6, 0.7, 0.8, 0.7 + 0.1, 8 * 0.1):
        assert calibrate.accuracy_at(curve, share) == 1.0
    assert calibrate.accuracy_at(curve, 0.9) == pytest.approx(8 / 9)
    three = calibrate.abstention(confidence, confidence > 0.75)
    assert 3 * 0.1 > 0.3
    assert calibrate.accuracy_at(three, 3 * 0.1) == 1.0


def test_without_images_there_is_no_curve_and_without_a_confidence_one_is_least_sure():
    curve = calibrate.abstention(np.zeros(0), np.zeros(0, dtype=bool))
    assert [part.shape for part in curve] == [(0,)] * 3
    assert math.isnan(calibrate.accuracy_at(curve, 0.5))
    curve = calibrate.abstention(np.array([np.nan, 0.2]), np.array([False, True]))
    np.testing.assert_array_equal(curve.accuracy, [1.0, 0.5])
