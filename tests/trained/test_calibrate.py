"""Temperature, calibration error and abstention against literal computations."""

import math

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from tenfold.seeds import generator
from tenfold.trained import calibrate


def smoothed_cost(z, labels, temperature):
    """The smoothed cross-entropy, target by target."""
    n, classes = z.shape
    targets = np.full((n, classes), 1 / (n + 2) / (classes - 1))
    targets[np.arange(n), labels] = (n + 1) / (n + 2)
    return -np.mean(np.sum(targets * log_softmax(z / temperature, axis=1), axis=1))


def log_softmax_of(z):
    return lambda t: log_softmax(z / t, axis=1)


def fitted(z, labels):
    return calibrate.temperature(log_softmax_of(z), labels)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 735.0, 1e7])
@pytest.mark.parametrize(("n", "classes", "spread"), [(300, 4, 1.0), (300, 4, 6.0), (50, 10, 0.3), (20, 2, 3.0)])
def test_the_temperature_is_the_best_of_a_fine_grid_whatever_the_size_of_the_scores(rng, n, classes, spread, scale):
    z, labels = spread * rng.normal(size=(n, classes)), rng.integers(0, classes, n)
    z[np.arange(n), labels] += spread
    grid = np.exp(np.linspace(-math.log(60), math.log(60), 4001))
    wanted = grid[np.argmin([smoothed_cost(z, labels, t) for t in grid])]
    assert fitted(scale * z, labels) == pytest.approx(scale * wanted, rel=2e-3)


def test_it_finds_the_temperature_that_labels_were_drawn_with(rng):
    z = 4 * rng.normal(size=(20000, 5))
    labels = np.array([rng.choice(5, p=p) for p in softmax(z / 2.5, axis=1)])
    assert fitted(z, labels) == pytest.approx(2.5, rel=0.05)


def test_four_hundred_classes_and_scores_of_raw_pixels_are_calibrated(rng):
    """Scores some hundreds of times too large: the temperature is that, and the calibration error next to none."""
    z = 3 * rng.normal(size=(4000, 400))
    labels = (softmax(z, axis=1).cumsum(1) > rng.random((4000, 1))).argmax(1)
    chosen = calibrate.temper(log_softmax_of(735 * z), labels)
    assert chosen.value == pytest.approx(735, rel=0.05)
    shares = softmax(735 * z / chosen.value, axis=1)
    assert calibrate.calibration_error(shares.max(1), shares.argmax(1) == labels) < 0.03
    certain = softmax(735 * z / 20, axis=1)
    assert calibrate.calibration_error(certain.max(1), certain.argmax(1) == labels) > 0.3


@pytest.mark.parametrize("n", [1, 10, 5000])
def test_a_part_without_a_mistake_is_no_reason_for_certainty(n):
    """Two classes, every margin 4: the smoothed optimum is a confidence of (n + 1) / (n + 2), T = 4 / ln(n + 1)."""
    z = np.tile([4.0, 0.0], (n, 1))
    assert fitted(z, np.zeros(n, dtype=np.int64)) == pytest.approx(4 / math.log(n + 1), rel=1e-3)
    timid = np.tile([1e-5, 0.0], (n, 1))
    assert fitted(timid, np.zeros(n, dtype=np.int64)) == pytest.approx(1e-5 / math.log(n + 1), rel=1e-3)


def test_worse_than_equal_probabilities_at_any_temperature_is_said():
    wrong = np.tile([9.0, 0.0], (50, 1))
    assert fitted(wrong, np.ones(50, dtype=np.int64)) == math.inf
    chosen = calibrate.temper(log_softmax_of(wrong), np.ones(50, dtype=np.int64))
    assert chosen.value == 1.0
    assert chosen.reason == "no temperature makes its probabilities better than equal ones, by 50 validation images"


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("size", [1.0, 50.0])
def test_it_is_never_worse_than_no_temperature(seed, size):
    """The sigmoid's shares of a sum, whose cost may have several minima."""
    rng = np.random.default_rng(seed)
    z, labels = size * (8 * rng.normal(size=(40, 5)) - 6), rng.integers(0, 5, 40)

    def log_shares(t):
        return log_softmax(-np.logaddexp(0, -z / t), axis=1)

    def cost(t):
        logs, n = log_shares(t), len(z)
        label = logs[np.arange(n), labels]
        return -np.mean((n + 1) / (n + 2) * label + (logs.sum(1) - label) / (n + 2) / 4)

    found = calibrate.temperature(log_shares, labels)
    least = math.log(5) if math.isinf(found) else cost(found)
    assert least <= cost(1.0) + 1e-12
    assert least <= min(cost(t) for t in np.exp(np.linspace(-3, 9, 60))) + 1e-3


def test_nothing_to_go_by_is_a_temperature_of_one():
    assert fitted(np.zeros((0, 3)), np.zeros(0, dtype=np.int64)) == 1.0
    assert fitted(np.full((4, 3), np.nan), np.zeros(4, dtype=np.int64)) == 1.0
    # Every temperature is as good: equal scores, and a single class.
    for z in (np.ones((4, 1)), np.ones((4, 3))):
        labels = np.zeros(4, dtype=np.int64)
        assert fitted(z, labels) == 1.0
        assert calibrate.temper(log_softmax_of(z), labels)[::4] == (1.0, "every temperature is as good")
    for n in (0, 1):
        chosen = calibrate.temper(log_softmax_of(np.ones((n, 3))), np.zeros(n, dtype=np.int64))
        assert chosen.value == 1.0
        assert f"{n} validation image" in chosen.reason
    broken = calibrate.temper(log_softmax_of(np.full((4, 3), np.nan)), np.zeros(4, dtype=np.int64))
    assert (broken.value, broken.reason) == (1.0, "its scores are not all finite")


def test_temperatures_without_finite_probabilities_are_passed_over(rng):
    z, labels = 5 * rng.normal(size=(200, 3)), rng.integers(0, 3, 200)
    z[np.arange(200), labels] += 3

    def log_shares(t):
        return log_softmax(z / t, axis=1) if t > 0.4 else np.full(z.shape, np.nan)

    assert calibrate.temperature(log_shares, labels) == pytest.approx(fitted(z, labels), rel=1e-3)


def drawn(seed, n, stretched):
    """Scores that are `stretched` times too large for the labels drawn by them, and n labels."""
    rng = np.random.default_rng(seed)
    z = 2 * rng.normal(size=(n, 4))
    return stretched * z, (softmax(z, axis=1).cumsum(1) > rng.random((n, 1))).argmax(1)


@pytest.mark.parametrize("n", [6, 20, 60])
def test_a_handful_of_images_does_not_make_sound_confidences_worse(n):
    """20 models whose confidences are right, and a few validation images each: a temperature can only do harm."""
    harmed = 0
    for seed in range(20):
        chosen = calibrate.temper(log_softmax_of(drawn(seed, n, 1.0)[0]), drawn(seed, n, 1.0)[1])
        harmed += chosen.value != 1.0
        assert (chosen.value == 1.0) == (chosen.gain <= chosen.error)
        assert chosen.value != 1.0 or f"{n} validation images" in chosen.reason
    assert harmed <= 3


@pytest.mark.parametrize("stretched", [0.25, 4.0])
def test_enough_images_show_that_a_temperature_helps(stretched):
    for seed in range(10):
        z, labels = drawn(seed, 300, stretched)
        chosen = calibrate.temper(log_softmax_of(z), labels)
        assert chosen.value == chosen.likeliest == pytest.approx(stretched, rel=0.4)
        assert chosen.gain > chosen.error > 0
        assert chosen.reason == ""


def test_the_gain_is_that_of_images_that_a_temperature_was_not_fitted_on():
    z, labels = drawn(3, 200, 3.0)
    fold = generator(5, "temperature").permutation(200) % 10
    gains = np.zeros(200)
    for k in range(10):
        t = fitted(z[fold != k], labels[fold != k])
        rows = np.flatnonzero(fold == k)
        gains[rows] = (log_softmax(z / t, axis=1) - log_softmax(z, axis=1))[rows, labels[rows]]
    chosen = calibrate.temper(log_softmax_of(z), labels, 5)
    assert chosen.gain == pytest.approx(gains.mean(), rel=5e-3)
    assert chosen.error == pytest.approx(gains.std(ddof=1) / math.sqrt(200), rel=5e-3)
    assert chosen == calibrate.temper(log_softmax_of(z), labels, 5)


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
