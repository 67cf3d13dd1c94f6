"""Course of a stage that has a deadline: its length follows the pace that it shows, and its schedule ends with it.

A stage begins with a plan. Each validation compares the time that is left with the pace since the one before; where
they no longer agree, the steps that are left become fewer or more, and what is left of the schedule is stretched over
them. Every correction is written into plan.json before it is acted on, so that a resumed run takes the same steps.
"""

__all__ = ["affordable", "beat_of", "corrected", "expected_seconds", "members_kept", "resumed", "stop_step"]

import sys
from collections.abc import Mapping
from itertools import pairwise

from tenfold.files import write_json
from tenfold.runs.run import Run, Stage, decide, decisions, fraction_done

# A plan is corrected where the time that is left allows less than this share of its steps, or more than that.
FEWER, MORE = 0.95, 1.15
# Times that a stage looks at the clock, if its epochs are not shorter.
BEATS = 50
# Share of a step that does not depend on how many members take it.
FIXED = 0.1


def affordable(stage: Stage, step: int, alive: int, seconds_per_step: float, seconds: float) -> int:
    """Return how many steps fit into a time, from a step on.

    alive: members that take part at this step; seconds_per_step: of all of them. Members that the stage is going to
    drop are counted with the part that they take.
    """
    return int(seconds / (max(seconds_per_step, 1e-9) * _relative_cost(stage, fraction_done(stage, step), alive)))


def expected_seconds(stage: Stage, seconds_per_step: float, steps: int) -> float:
    """Return how long a stage takes from its start for so many steps. seconds_per_step: of all members."""
    return steps * seconds_per_step * _relative_cost(stage, 0.0, len(stage.settings))


def _relative_cost(stage: Stage, done: float, alive: int) -> float:
    """Return the mean cost of the steps that are left, that of a step with `alive` members being 1."""
    cuts = [done, *(part for part in sorted(stage.thin) if done < part < 1), 1.0]
    cost = 0.0
    for start, end in pairwise(cuts):
        members = min(members_kept(stage.thin, start), alive)
        cost += (end - start) * (FIXED + (1 - FIXED) * members / alive)
    return cost / (1 - done) if done < 1 else 1.0


def members_kept(thin: Mapping[float, int], done: float) -> int:
    """Return how many members stay after a fraction of the schedule."""
    return min((count for part, count in thin.items() if part <= done), default=sys.maxsize)


def corrected(run: Run, stage: Stage, step: int, alive: int, seconds_per_step: float) -> Stage:
    """Return the stage as its plan is after a look at the clock at this step."""
    if not stage.longest:
        return stage
    entries = _entries(run, stage)
    if any(entry[0] >= step for entry in entries):
        return resumed(run, stage, step)  # decided before the run was stopped
    left, seconds = stage.steps - step, stage.deadline - run.saver.elapsed()
    fitting = min(affordable(stage, step, alive, seconds_per_step, seconds), stage.longest - step)
    if left <= 0 or fitting <= 0 or FEWER * left - 1 <= fitting <= MORE * left + 1:
        return stage
    entries.append([step, fraction_done(stage, step), step + fitting])
    write_json(run.folder / "plan.json", {**decisions(run.folder), _key(stage): entries})
    return resumed(run, stage, step)


def beat_of(stage: Stage, every: int) -> int:
    """Return the steps between two looks at the clock; every: those between two validations."""
    return min(every, max(1, stage.longest // BEATS)) if stage.longest else every


def resumed(run: Run, stage: Stage, step: int) -> Stage:
    """Return the stage with the corrections that were decided up to this step."""
    for at, done, steps in _entries(run, stage):
        if at <= step:
            stage = stage._replace(steps=int(steps), since=(int(at), done))
    return stage


def stop_step(run: Run, stage: Stage, step: int) -> int:
    """Return the step after which the stage ends: this one where its time is up, else its last."""
    key = f"{stage.name}: stop after step"
    if run.saver.elapsed() > stage.deadline:
        return int(decide(run.folder, key, lambda: step))
    return int(decisions(run.folder).get(key, stage.steps))


def _entries(run: Run, stage: Stage) -> list[list[float]]:
    return list(decisions(run.folder).get(_key(stage), []))


def _key(stage: Stage) -> str:
    return f"{stage.name}: steps corrected at step, fraction of the schedule, steps"
