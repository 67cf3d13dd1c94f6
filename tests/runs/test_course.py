"""A stage with a deadline follows its pace: it ends in time and at the end of its schedule, and can be repeated."""

import json
from itertools import pairwise

import pytest
import torch

from tenfold.choices import members, recipe
from tenfold.runs import stage as training
from tenfold.runs.course import affordable, expected_seconds, members_kept
from tenfold.runs.pace import rehearsal
from tenfold.runs.run import Stage, fraction_done, per_epoch, population_of, stage_of
from tenfold.runs.stage import fresh, train_stage

CHOICES = {"data": "digits", "limit": 600, "learning_rate": [0.01, 0.03, 0.1, 0.3], "schedule": "cosine"}
# Seconds of a step of all members while nothing else runs.
PACE = 0.1


@pytest.fixture
def run():
    with rehearsal(recipe(CHOICES), "") as (made, _):
        yield made


def course(steps, longest, deadline=float("inf"), thin=None) -> Stage:
    """A stage of four members without anything to train."""
    return Stage("rung", recipe(CHOICES), None, ({},) * 4, steps, {}, {}, deadline, longest, (0, 0.0), thin or {})


def trained(run, monkeypatch, load, steps=200, longest=400, deadline=20.0, thin=None):
    """Train with a clock of its own, a step costs PACE × load(step); return the seconds, the steps, their rates."""
    chosen = recipe(CHOICES)
    clock, rates = [0.0], {}
    stage = stage_of(run, "rung", chosen, members(chosen), steps=steps)
    stage = stage._replace(deadline=deadline, longest=longest, thin=thin or {})
    plain = training._stepped

    def stepped(progress, state, images, seconds):
        clock[0] += PACE * load(state.step) * len(state.status) / 4
        return plain(progress, state, images, seconds)

    def population(run, stage, settings):
        made = population_of(run, stage, settings)
        return made._replace(rate=lambda t: rates.setdefault(t, made.rate(t)))

    with monkeypatch.context() as patch:
        patch.setattr(run.saver, "elapsed", lambda: clock[0])
        patch.setattr(training, "_stepped", stepped)
        patch.setattr(training, "population_of", population)
        progress = train_stage(run, stage, fresh(run, stage))
    return clock[0], progress, [float(torch.as_tensor(rate).max()) for rate in rates.values()]


def test_a_plan_that_fits_is_kept(run, monkeypatch):
    seconds, progress, _ = trained(run, monkeypatch, lambda step: 1.0)
    assert progress.state.step == 200
    assert seconds == pytest.approx(20)
    assert not (run.folder / "plan.json").exists() or "corrected" not in (run.folder / "plan.json").read_text()


@pytest.mark.parametrize("load", [2.0, 4.0], ids=["twice as slow", "four times"])
def test_a_machine_that_gets_slow_shortens_the_rest_of_the_schedule(load, run, monkeypatch):
    seconds, progress, rates = trained(run, monkeypatch, lambda step: 1.0 if step < 50 else load)
    assert 17 < seconds <= 20 + 2 * PACE * load
    assert progress.state.step < 200
    assert len(rates) == progress.state.step
    # The rate still falls in small steps, and to nearly nothing.
    assert all(0 <= a - b < 0.1 * rates[0] for a, b in pairwise(rates))
    assert rates[-1] < 0.02 * rates[0]


def test_a_quick_machine_goes_on_to_the_longest_plan(run, monkeypatch):
    seconds, progress, rates = trained(run, monkeypatch, lambda step: 0.3)
    assert progress.state.step == 400
    assert seconds <= 20
    assert rates[-1] < 0.02 * rates[0]
    seconds, progress, _ = trained(run, monkeypatch, lambda step: 0.7)
    assert 18 < seconds <= 20.2


def test_corrections_are_taken_again_whatever_the_clock_says(run, monkeypatch):
    first = trained(run, monkeypatch, lambda step: 1.0 if step % 100 < 50 else 3.0)
    plan = json.loads((run.folder / "plan.json").read_text())
    (entries,) = (value for key, value in plan.items() if "corrected" in key)
    last = entries[-1][0]
    assert len(entries) > 1
    assert last > 50
    # After the last correction the clock decides anew.
    again = trained(run, monkeypatch, lambda step: 0.01)
    assert again[2][:last] == first[2][:last]


def test_members_are_dropped_at_their_fraction_of_a_corrected_schedule(run, monkeypatch):
    seconds, progress, _ = trained(run, monkeypatch, lambda step: 2.0, thin={0.25: 2, 0.5: 1})
    assert len(progress.tally["member"]) == 1
    assert seconds <= 20 + 4 * PACE


def test_a_long_epoch_ends_at_the_deadline(run, monkeypatch):
    updates = per_epoch(run, recipe(CHOICES))
    seconds, progress, _ = trained(run, monkeypatch, lambda step: 5.0, steps=10 * updates, deadline=1.2)
    assert seconds <= 1.2 + 2 * 5 * PACE
    assert progress.validations == 1


def test_the_cost_of_members_that_will_be_dropped_is_counted():
    thin = {0.5: 1}
    assert members_kept(thin, 0.49) > 10
    assert members_kept(thin, 0.5) == 1
    whole, thinned = course(100, 100), course(100, 100, thin=thin)
    assert expected_seconds(whole, 2.0, 100) == 200
    # Half of the steps with one of four members: a tenth, and nine tenths of a quarter.
    assert expected_seconds(thinned, 2.0, 100) == pytest.approx(100 + 100 * (0.1 + 0.9 / 4))
    assert affordable(thinned, 0, 4, 2.0, expected_seconds(thinned, 2.0, 100) + 1e-9) == 100
    assert affordable(whole, 0, 4, 2.0, -3.0) < 0
    assert fraction_done(course(100, 100)._replace(since=(50, 0.25)), 75) == pytest.approx(0.25 + 0.75 / 2)
