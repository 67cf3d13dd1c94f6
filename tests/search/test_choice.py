"""The choice: intervals, ranking, one standard error, edges, all against numbers computed another way."""

import math
import statistics

import numpy as np
import pytest
from scipy import stats

from tenfold.search.axes import parse_axis
from tenfold.search.choice import all_diverged, edges, one_standard_error, ranking, summarize

NAN = float("nan")


def test_mean_error_and_interval_are_students(rng):
    scores = rng.normal(0.9, 0.01, (4, 5, 2))
    found = summarize(scores)
    assert found.runs == 10
    for member in range(4):
        runs = scores[member].ravel().tolist()
        error = statistics.stdev(runs) / math.sqrt(10)
        low, high = stats.ttest_1samp(runs, 0).confidence_interval(0.95)
        assert found.mean[member] == pytest.approx(statistics.fmean(runs))
        assert found.error[member] == pytest.approx(error)
        assert (found.low[member], found.high[member]) == pytest.approx((low, high))


def test_its_interval_covers_the_truth_19_times_in_20(rng):
    found = summarize(rng.normal(0.7, 0.02, (4000, 3, 1)))
    covered = int(((found.low < 0.7) & (found.high > 0.7)).sum())
    assert stats.binomtest(covered, 4000, 0.95).pvalue > 0.001


def test_one_run_has_no_interval_and_a_failed_run_no_mean():
    single = summarize(np.array([[[0.5]], [[0.75]]]))
    assert single.mean.tolist() == [0.5, 0.75]
    assert np.isnan([single.error, single.low, single.high]).all()
    failed = summarize(np.array([[[0.5], [NAN]], [[0.4], [0.6]]]))
    assert math.isnan(failed.mean[0])
    assert failed.mean[1] == 0.5


def test_ranked_by_mean_then_loss_then_number():
    mean = np.array([0.5, 0.9, NAN, 0.9, 0.9, NAN, 0.7])
    loss = np.array([0.1, 0.4, 0.0, 0.3, 0.3, NAN, NAN])
    assert ranking(mean, loss) == [3, 4, 1, 6, 0, 2, 5]


def test_the_largest_l2_within_one_standard_error():
    # The best has a standard error of 0.01: its runs are 0.89 and 0.91.
    means = [0.90, 0.895, 0.891, 0.889, 0.891]
    scores = np.array([[[m - 0.01], [m + 0.01]] for m in means])
    found = summarize(scores)
    assert found.error[0] == pytest.approx(0.01)
    ranked = ranking(found.mean, np.zeros(5))
    assert one_standard_error(found, [0.0, 0.1, 1.0, 10.0, 1.0], ranked) == 2
    assert one_standard_error(found, [5.0, 0.1, 1.0, 10.0, 1.0], ranked) == 0
    assert one_standard_error(found, [0.0] * 5, ranked) == 0
    single = summarize(scores[:, :1])
    assert one_standard_error(single, [0.0, 0.1, 1.0, 10.0, 1.0], ranked) == 0


def test_members_that_failed_are_never_chosen():
    found = summarize(np.array([[[0.9], [0.91]], [[NAN], [0.95]], [[0.9], [0.905]]]))
    ranked = ranking(found.mean, np.zeros(3))
    assert one_standard_error(found, [0.0, 9.0, 0.5], ranked) == 2


@pytest.mark.parametrize(
    ("name", "option", "best", "end", "wider"),
    [
        ("learning_rate", "1e-4:1e-1:log", 0.09, "high", "0.0001:1.0:log"),
        ("learning_rate", "1e-4:1e-1:log", 1.2e-4, "low", "1e-05:0.1:log"),
        ("learning_rate", "1e-4:1e-1:log", 0.05, "", ""),
        ("l2", "0,1e-4:1:log", 0.9, "high", "0.0,0.0001:10.0:log"),
        ("l2", "0,1e-4:1:log", 0.0, "", ""),
        ("l2", "0:1", 0.01, "", ""),
        ("l2", "0:1", 0.96, "high", "0.0:2.0"),
        ("l2", "1e-6:1e-3:log,1e-3:1:log", 0.0011, "", ""),
        ("l2", "1e-6:1e-3:log,1e-3:1:log", 0.00099, "", ""),
        ("l2", "1e-6:1e-3:log,1e-3:1:log", 0.95, "high", "1e-06:0.001:log,0.001:10.0:log"),
        ("momentum", "0:0.9", 0.89, "high", "0.0:0.99"),
        ("momentum", "0.5:0.9", 0.5, "low", "0.1:0.9"),
        ("momentum", "0.3,0.6,0.9", 0.9, "high", "0.3,0.6,0.9,0.99"),
        ("momentum", "0,0.5,0.9", 0.0, "", ""),
        ("l2", "0.001,0.01,0.1", 0.1, "high", "0.001,0.01,0.1,1.0"),
        ("l2", "0.001,0.01,0.1", 0.01, "", ""),
        ("l2", "0,0.1,0.2", 0.2, "high", "0.0,0.1,0.2,0.3"),
        ("batch_size", "32,64,128", 32, "low", "16,32,64,128"),
        ("batch_size", "16:256:log", 250, "high", "16:2560:log"),
        ("batch_size", "1,2", 1, "", ""),
        ("flip", "0:0.5", 0.5, "high", "0.0:1.0"),
        ("flip", "0:1", 1.0, "", ""),
        ("clip_norm", "1:5", 1.0, "low", "0.1:5.0"),
        ("init_seed", "0:99", 99, "", ""),
        ("learning_rate", "0.1", 0.1, "", ""),
        ("loss", "softmax,hinge", "hinge", "", ""),
        ("nesterov", "false,true", True, "", ""),
        ("hidden", "64,128", (128,), "", ""),
        ("l2", "0.1:1", 5.0, "", ""),
    ],
)
def test_the_best_on_an_edge_names_the_range_to_widen(name, option, best, end, wider):
    found = edges([parse_axis(name, option)], {name: best})
    assert [(edge.name, edge.end, edge.value, edge.option) for edge in found] == (
        [(name, end, best, wider)] if end else []
    )
    for edge in found:
        assert "\n" not in edge.sentence
        assert f"--{name.replace('_', '-')} {wider}" in edge.sentence
        assert parse_axis(name, edge.option)


def test_axes_that_the_best_does_not_have_are_no_edges():
    axes = [parse_axis("hidden", "64,128"), parse_axis("momentum", "0:0.9"), parse_axis("learning_rate", "1e-3:1:log")]
    assert [edge.name for edge in edges(axes, {"learning_rate": 0.99})] == ["learning_rate"]


def test_all_diverged_suggests_smaller_rates():
    told = all_diverged([10.0, 1.0, 300.0])
    assert told == (
        "every member diverged: no loss stayed finite with learning rates from 1 to 300; "
        "try --learning-rate 0.001:0.1:log"
    )
    assert parse_axis("learning_rate", told.rpartition(" ")[2])
