"""The tally: running means, best so far, patience, ranking, all by member."""

import math

import torch

from tenfold.engine.arrays import rows
from tenfold.engine.types import State, Value
from tenfold.runs import tally


def state(step, status=(0, 0, 0)):
    return State(step, {}, {}, {}, torch.tensor(status))


def numbers(*values):
    return torch.tensor(values, dtype=torch.float64)


def observed(kept, step, accuracy, loss=(1.0, 1.0, 1.0), status=(0, 0, 0), latest=False):
    seen = numbers(0.5, 0.5, 0.5), numbers(*loss), numbers(*accuracy)
    return tally.observe(kept, state(step, status), *seen, latest).tolist()


def test_without_patience_a_member_is_judged_by_its_last_validation():
    kept = tally.new(3)
    observed(kept, 1, (0.9, 0.5, 0.8), latest=True)
    assert observed(kept, 2, (0.4, 0.6, float("nan")), status=(0, 0, -2), latest=True) == [True, True, False]
    assert tally.ranking(kept) == [1, 0, 2]
    assert kept["best_step"].tolist() == [2, 2, 1]


def test_means_are_over_the_steps_since_the_last_call(rng):
    kept, drawn = tally.new(3), torch.from_numpy(rng.random((7, 3, 3)))
    for first, last in ((0, 4), (4, 7)):
        for step, (loss, penalty, accuracy) in enumerate(drawn[first:last], first + 1):
            tally.add(kept, Value(loss, penalty, accuracy), step)
        loss, penalty, accuracy = drawn[first:last].mean(0)
        wanted = torch.stack((loss, loss + penalty, accuracy), -1)
        torch.testing.assert_close(tally.means(kept), wanted, rtol=1e-14, atol=0)
    assert not kept["sums"].any()
    assert not kept["count"].any()


def test_means_of_single_precision_are_summed_in_double():
    kept, third = tally.new(1), torch.tensor([1 / 3], dtype=torch.float32)
    for step in range(10_000):
        tally.add(kept, Value(third, torch.zeros(1), third), step + 1)
    assert abs(float(tally.means(kept)[0, 0]) - float(third)) < 1e-12


def test_better_is_a_higher_accuracy_or_the_same_with_a_lower_loss():
    kept = tally.new(3)
    assert observed(kept, 10, (0.5, 0.5, 0.5)) == [True, True, True]
    assert observed(kept, 20, (0.6, 0.5, 0.4), (2.0, 0.9, 0.1)) == [True, True, False]
    assert observed(kept, 30, (0.6, 0.5, 0.5), (2.0, 0.9, 1.0)) == [False, False, False]
    assert kept["best_score"].tolist() == [0.6, 0.5, 0.5]
    assert kept["best_loss"].tolist() == [2.0, 0.9, 1.0]
    assert kept["best_step"].tolist() == [20, 20, 10]


def test_only_a_higher_accuracy_resets_patience():
    kept = tally.new(3)
    observed(kept, 1, (0.5, 0.5, 0.5))
    assert kept["stale"].tolist() == [0, 0, 0]
    observed(kept, 2, (0.6, 0.5, 0.4), (1.0, 0.1, 1.0))
    assert kept["stale"].tolist() == [0, 1, 1]
    observed(kept, 3, (0.6, 0.7, 0.5))
    assert kept["stale"].tolist() == [1, 0, 2]


def test_a_member_that_stopped_is_never_better_and_one_that_failed_is_out():
    kept = tally.new(3)
    observed(kept, 1, (0.5, 0.5, 0.5))
    assert observed(kept, 2, (0.9, 0.9, 0.9), status=(0, 1, -2)) == [True, False, False]
    assert kept["best_score"].tolist() == [0.9, 0.5, -math.inf]
    assert tally.ranking(kept) == [0, 1, 2]


def test_a_member_that_is_not_a_number_is_never_better_and_the_ranking_stands():
    kept = tally.new(3)
    assert observed(kept, 1, (math.nan, 0.2, math.nan), (math.nan, 1.0, math.nan)) == [False, True, False]
    assert tally.ranking(kept) == [1, 0, 2]


def test_without_validation_images_members_that_failed_rank_last():
    kept = tally.new(3)
    unknown = (math.nan, math.nan, math.nan)
    observed(kept, 1, unknown, unknown, status=(-1, 0, 0), latest=True)
    assert tally.ranking(kept) == [1, 2, 0]


def test_members_rank_by_accuracy_then_loss_then_number():
    kept = tally.new(5)
    kept["best_score"] = numbers(0.5, 0.9, 0.9, 0.5, 0.95)
    kept["best_loss"] = numbers(0.3, 0.2, 0.1, 0.3, 9.0)
    assert tally.ranking(kept) == [4, 2, 1, 0, 3]


def test_dropping_members_slices_it_like_the_state():
    kept = tally.new(4)
    kept["best_score"] = numbers(0.1, 0.4, 0.2, 0.3)
    few = rows(kept, torch.tensor([1, 3]))
    assert all(len(tensor) == 2 for tensor in few.values())
    assert few["member"].tolist() == [1, 3]
    assert tally.ranking(few) == [0, 1]
    few["best_score"][0] = 0
    assert float(kept["best_score"][1]) == 0.4
