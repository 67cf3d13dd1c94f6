"""Verdicts against cases worked by hand, scipy's own tests, and simulated reports: 95 % must be 95 %."""

import math

import numpy as np
import pytest
from scipy import stats

from tenfold.reproduce.judge import alike, allowed, compare, judge

NAN = math.nan


def test_three_seeds_by_hand():
    # s = 0.02, t of 2 degrees of freedom = 4.302653
    found = judge(0.5, 0.0, "0 absolute", [0.40, 0.42, 0.44], None, True)
    assert found.mean == pytest.approx(0.42)
    assert found.interval == pytest.approx((0.42 - 0.0496828, 0.42 + 0.0496828), abs=1e-6)
    assert found.prediction == pytest.approx((0.42 - 0.0993655, 0.42 + 0.0993655), abs=1e-6)
    assert found.gap == pytest.approx(-0.08)
    assert found.word == "within noise"
    # z² · 0.42 · 0.58 / 1000 = 0.00093578, and 0.0993655² + 0.00093578 = 0.103968²
    sampled = judge(0.5, 0.0, "0 absolute", [0.40, 0.42, 0.44], 1000, True)
    assert sampled.prediction == pytest.approx((0.42 - 0.103968, 0.42 + 0.103968), abs=1e-6)
    assert sampled.interval == found.interval


def test_one_seed_has_the_error_of_its_images_or_none():
    few = judge(0.9, 0.0, "0 absolute", [0.5], None, True, 10)
    assert few.interval == pytest.approx((0.236593, 0.763407), abs=1e-6)  # 5 of 10, Wilson
    both = judge(0.41, 0.0, "0 absolute", [0.4], 10_000, True, 10_000)
    half = 1.959964 * math.sqrt(2 * 0.4 * 0.6 / 10_000)
    assert both.prediction == pytest.approx((0.4 - half, 0.4 + half), abs=1e-7)
    assert both.word == "within noise"
    loss = judge(2.5, 0.0, "0 absolute", [2.4], None, False)
    assert (loss.interval, loss.prediction, loss.word) == (None, None, "better")


@pytest.mark.parametrize(
    ("tolerance", "reported", "off"),
    [("0.5 points", 0.4559, 0.005), ("5e-2 absolute", 2.3, 0.05), ("2 %", 0.4, 0.008), ("2%", -0.4, 0.008)],
)
def test_the_tolerance_and_the_last_digit_end_where_they_say(tolerance, reported, off):
    assert allowed(tolerance, reported) == pytest.approx(off)
    edge = off + 0.00005
    for side in (-1, 1):
        near, far = (
            judge(reported, 0.00005, tolerance, [reported + side * by], None, True) for by in (edge, edge + 1e-6)
        )
        assert near.word == "reproduced"
        assert far.word == ("better" if side > 0 else "not reproduced")


def test_small_numbers_are_judged_by_their_own_size():
    words = [judge(1.09e-15, 5e-18, "1e-16 absolute", [x], None, False).word for x in (1.19e-15, 3e-15, 3e-16)]
    assert words == ["reproduced", "not reproduced", "better"]


def test_better_is_up_for_a_share_and_down_for_a_loss():
    words = [judge(0.3, 0.0, "0 absolute", [x, x + 0.001], None, up).word for up in (True, False) for x in (0.2, 0.4)]
    assert words == ["not reproduced", "better", "better", "not reproduced"]


@pytest.mark.parametrize(
    ("reported", "measured", "word"),
    [
        (NAN, [NAN, NAN], "reproduced (diverges)"),
        (NAN, [0.1, 0.2], "not reproduced"),
        (NAN, [NAN, 0.2], "within noise"),
        (0.3, [NAN, NAN], "not reproduced (diverges)"),
        (0.3, [NAN, 0.3], "reproduced"),
        (NAN, [math.inf], "reproduced (diverges)"),
    ],
)
def test_what_diverges(reported, measured, word):
    found = judge(reported, 0.0, "0.5 points", measured, 1000, True)
    assert found.word == word
    assert math.isnan(found.gap) == (math.isnan(reported) or not np.isfinite(measured).any())


def test_seeds_that_change_nothing_leave_no_room_but_that_of_the_images():
    same = judge(0.12, 0.0, "0 absolute", [0.1135] * 5, None, True)
    assert same.interval == same.prediction == pytest.approx((0.1135, 0.1135))
    assert same.word == "not reproduced"
    # The share of the most frequent digit, and what a report printed of 1,000 images.
    assert judge(0.11, 0.005, "0 absolute", [0.1135] * 5, 1000, True).word == "reproduced"
    assert judge(0.12, 0.0, "0 absolute", [0.1135] * 5, 1000, True).word == "within noise"


@pytest.mark.parametrize(
    ("seeds", "spread", "n", "exact"),
    [
        (5, 0.01, None, True),
        (2, 0.005, None, True),
        (5, 0.0, 1000, True),
        (3, 0.005, 1000, False),
        (5, 0.02, 1000, False),
    ],
)
def test_one_more_run_lies_in_its_interval_in_95_percent(seeds, spread, n, exact):
    draw, runs = np.random.default_rng(seeds), 1500
    inside = covered = 0
    for measured in draw.normal(0.4, spread, (runs, seeds)):
        reported = draw.normal(0.4, spread)
        reported = draw.binomial(n, reported) / n if n else reported
        found = judge(reported, 0.0, "0 absolute", measured, n, True)
        inside += found.prediction[0] - 1e-12 <= reported <= found.prediction[1] + 1e-12
        covered += found.interval[0] - 1e-12 <= 0.4 <= found.interval[1] + 1e-12
    # A share of 0.95 in 1,500 wanders by 0.0056.
    assert 0.933 < inside / runs < (0.967 if exact else 0.985)
    assert spread == 0 or 0.933 < covered / runs < 0.967


def test_two_seeds_close_together_do_not_excuse_everything():
    low, high = judge(0.5, 0.0, "0 absolute", [0.4, 0.4014], 1000, True).prediction
    # The images alone give ± 3.0 points, the seeds ± 1.5; Student's t over their sum would give 20.
    assert 0.06 < high - low < 0.08


def test_pairs_by_hand_and_as_scipy_has_them():
    # Differences 0.02, 0.02, 0.01: t = 5, and with 2 degrees of freedom p = 1 − t / √(t² + 2).
    found = compare([0.42, 0.43, 0.44], [0.40, 0.41, 0.43])
    assert found.p == pytest.approx(1 - 5 / math.sqrt(27))
    assert found.verdict == "confirmed"
    draw = np.random.default_rng(1)
    for seeds in (2, 3, 10):
        first, second = draw.normal(0.4, 0.01, (2, seeds))
        expected, found = stats.ttest_rel(first, second), compare(first, second)
        assert found.p == pytest.approx(expected.pvalue)
        assert found.interval == pytest.approx(tuple(expected.confidence_interval()))
        assert found.difference == pytest.approx(np.mean(first - second))


@pytest.mark.parametrize(
    ("first", "second", "up", "verdict", "p"),
    [
        ([0.4, 0.41, 0.43], [0.3, 0.31, 0.3], True, "confirmed", None),
        ([0.4, 0.41, 0.43], [0.3, 0.31, 0.3], False, "refuted", None),
        ([0.4, 0.3, 0.43], [0.3, 0.4, 0.42], True, "undecided", None),
        ([0.5, 0.5], [0.25, 0.25], True, "confirmed", 0.0),
        ([0.25, 0.25], [0.5, 0.5], True, "refuted", 0.0),
        ([0.5, 0.4], [0.5, 0.4], True, "undecided", 1.0),
        ([0.5], [0.2], True, "undecided (one seed)", None),
        ([0.5, 0.5], [NAN, 0.2], True, "undecided (diverges)", None),
        ([NAN], [0.2], True, "undecided (diverges)", None),
    ],
)
def test_claims(first, second, up, verdict, p):
    found = compare(first, second, up)
    assert found.verdict == verdict
    assert p is None or found.p == p
    assert ("(" in verdict) == (found.interval is None)


def test_a_seed_that_failed_is_no_pair():
    assert compare([0.42, NAN, 0.43, 0.44], [0.40, 0.3, 0.41, 0.43]) == compare([0.42, 0.43, 0.44], [0.40, 0.41, 0.43])


def test_equal_runs_are_told_apart_in_5_percent():
    draws = np.random.default_rng(2).normal(0.4, 0.01, (2000, 2, 4))
    apart = np.mean([compare(first, second).verdict != "undecided" for first, second in draws])
    assert 0.035 < apart < 0.065


def test_no_interval_leaves_what_is_possible():
    # s = 0.2, t of 2 degrees of freedom = 4.302653: ± 0.4968 of the mean, ± 0.9937 of one more run.
    share = judge(0.5, 0.0, "0 points", [0.1, 0.3, 0.5], None, True)
    assert share.interval == pytest.approx((0.0, 0.3 + 0.496828), abs=1e-6)
    assert share.prediction == (0.0, 1.0)
    loss = judge(0.5, 0.0, "0 absolute", [0.1, 0.3, 0.5], None, False)
    assert loss.prediction == pytest.approx((0.0, 0.3 + 0.993655), abs=1e-6)


def test_a_single_seed_takes_the_spread_of_a_run_like_it():
    # t of 4 degrees of freedom = 2.776445; one more run of deviation 0.01 lies within ± t 0.01 √(1 + 1/5).
    half = 2.776445 * 0.01 * math.sqrt(1.2)
    near, far = (
        judge(x, 0.0, "0 points", [0.4], None, True, 10_000, (0.01, 5)) for x in (0.4 + half, 0.4 + half + 1e-4)
    )
    assert near.prediction == pytest.approx((0.4 - half, 0.4 + half), abs=1e-6)
    assert (near.word, far.word) == ("within noise", "not reproduced")
    assert judge(0.42, 0.0, "0 points", [0.4], None, True, 10_000, (0.01, 1)) == judge(
        0.42, 0.0, "0 points", [0.4], None, True, 10_000
    )


@pytest.mark.parametrize(
    ("second", "margin", "verdict"),
    [
        ([0.401, 0.412, 0.429], 0.01, "confirmed"),
        ([0.401, 0.412, 0.429], 0.001, "undecided"),
        ([0.35, 0.361, 0.379], 0.01, "refuted"),
        ([0.395, 0.401, 0.425], 0.01, "undecided"),  # t-test finds nothing either: that shows no equality
        ([0.401], 0.01, "undecided (one seed)"),
        ([NAN, 0.401, NAN], 0.01, "undecided (diverges)"),
    ],
)
def test_equally_good_needs_the_whole_interval_inside_the_margin(second, margin, verdict):
    first = [0.4, 0.411, 0.43][: len(second)]
    assert alike(first, second, margin).verdict == alike(second, first, margin).verdict == verdict


def test_runs_that_lie_a_margin_apart_are_equally_good_in_few_simulations():
    draw = np.random.default_rng(3)
    pairs = draw.normal([0.4, 0.41], 0.003, (1000, 5, 2))
    confirmed = np.mean([alike(pair[:, 0], pair[:, 1], 0.01).verdict == "confirmed" for pair in pairs])
    assert confirmed < 0.04  # 2.5 % by the two-sided interval, and 0.5 % of error
