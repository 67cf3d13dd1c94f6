"""Choice from a sweep's scores: mean and interval of every member, ranking, choice, ranges that are too narrow.

The interval is Student's t over the runs of a member (folds × seeds). Runs on overlapping training parts are not
independent, so it is a little too narrow (Bengio and Grandvalet 2004): a guide, not a test.
"""

__all__ = ["Edge", "Summary", "all_diverged", "edges", "one_standard_error", "ranking", "summarize"]

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from tenfold.recipe import Settings
from tenfold.runs.outcome import diverged
from tenfold.search.axes import Axis, Range, allowed, fitting_piece, position, text

Numbers = NDArray[np.float64]
# Part of a range's length, on its own scale, that counts as its edge.
EDGE = 0.05
# Fields whose 0 is not the small end of their numbers but turns them off.
OFF = ("clip_norm",)


class Summary(NamedTuple):
    """Of each member, (M,): mean score, its standard error, 95 % interval; runs: how many it is over.

    NaN: all of a member that failed in a run; error and interval with a single run.
    """

    mean: Numbers
    error: Numbers
    low: Numbers
    high: Numbers
    runs: int


class Edge(NamedTuple):
    """An axis on whose end the best lies. end: "low" or "high"; option: what to search instead; sentence: all of it."""

    name: str
    end: str
    value: float
    option: str
    sentence: str


def summarize(scores: Numbers) -> Summary:
    """Return mean, standard error and interval over folds and seeds. scores: (M, F, S), NaN where a run failed.

    A member that failed in one run has no mean: a setting that diverges now and then is not one to recommend.
    """
    flat = scores.reshape(len(scores), -1)
    runs = flat.shape[1]
    mean = flat.mean(1)
    if runs == 1:
        none = np.full(len(mean), np.nan)
        return Summary(mean, none, none, none, runs)
    error = flat.std(1, ddof=1) / math.sqrt(runs)
    half = special.stdtrit(runs - 1, 0.975) * error
    return Summary(mean, error, mean - half, mean + half, runs)


def ranking(mean: Numbers, loss: Numbers) -> list[int]:
    """Rank members from best to worst: by mean score, then lower loss, then number; those without a mean last.

    >>> ranking(np.array([0.5, np.nan, 0.9, 0.9]), np.array([1.0, np.nan, 0.3, 0.2]))
    [3, 2, 0, 1]
    """
    return [int(member) for member in np.lexsort((np.nan_to_num(loss, nan=np.inf), _worst_last(-mean)))]


def one_standard_error(summary: Summary, l2: Sequence[float], ranked: Sequence[int]) -> int:
    """Return the member with the largest l2 among those within one standard error of the best (Breiman et al. 1984).

    ranked: as from `ranking`; the better ranked one where several have that l2. With a single run, which has no
    standard error, it is the best.
    """
    best = ranked[0]
    error = summary.error[best] if summary.runs > 1 else 0.0
    near = [member for member in ranked if summary.mean[member] >= summary.mean[best] - error]
    near = near if summary.runs > 1 and near else [best]
    return max(near, key=lambda member: l2[member])


def edges(axes: Sequence[Axis], best: Settings) -> list[Edge]:
    """Return the axes of numbers on whose end the best lies: within 5 % of a range's length, or the end of a list.

    best: its settings. Not an edge: where another range of the axis goes on, where the field itself ends, as l2 does at
    0, and seeds, which have no order.
    """
    all_edges = [_edge(axis, best[axis.name]) for axis in axes if axis.name in best and "seed" not in axis.name]
    return [edge for edge in all_edges if edge is not None]


def all_diverged(rates: Sequence[float]) -> str:
    """Say what to try when no member has a score. rates: the learning rates that were tried."""
    low = min(rates)
    return f"{diverged(rates)}; try --learning-rate {_rounded(low / 1000)!r}:{_rounded(low / 10)!r}:log"


def _worst_last(values: Numbers) -> Numbers:
    return np.where(np.isnan(values), np.inf, values)


def _edge(axis: Axis, value: Any) -> Edge | None:
    ends = [end for piece in axis.pieces for end in _ends(piece)]
    if not ends or isinstance(value, bool | str) or min(ends) == max(ends):
        return None
    piece = fitting_piece(axis, value)
    end = _end_of_range(axis, piece, value) if isinstance(piece, Range) else _end_of_list(piece, ends)
    limit = (piece.low if end == "low" else piece.high) if isinstance(piece, Range) else value
    if not end or not allowed(axis.name, _next(limit, end)):
        return None
    option = _wider(axis, piece, end, ends)
    sentence = f"the best {axis.name}, {_shown(value)}, lies at the {end} end of {text(axis)}"
    return Edge(
        axis.name, end, value, option, f"{sentence}: search further with --{axis.name.replace('_', '-')} {option}"
    )


def _ends(piece: Any) -> tuple[float, ...]:
    if isinstance(piece, Range):
        return piece.low, piece.high
    return (piece,) if isinstance(piece, int | float) and not isinstance(piece, bool) else ()


def _end_of_range(axis: Axis, span: Range, value: float) -> str:
    """Return the end that a value is close to and beyond which no other range goes on, "" for none."""
    share = position(span, value)
    end = "low" if share <= EDGE else "high" if share >= 1 - EDGE else ""
    limit = span.low if end == "low" else span.high
    others = [piece for piece in axis.pieces if isinstance(piece, Range) and piece != span]
    beyond = [o for o in others if (o.low < limit <= o.high if end == "low" else o.low <= limit < o.high)]
    return "" if beyond else end


def _end_of_list(value: float | None, ends: Sequence[float]) -> str:
    """Return the end of all pieces together that a value is, "" for none."""
    return "low" if value == min(ends) else "high" if value == max(ends) else ""


def _next(value: float, end: str) -> float:
    """Return the next number beyond an end."""
    if isinstance(value, int):
        return value - 1 if end == "low" else value + 1
    return float(np.nextafter(value, -np.inf if end == "low" else np.inf))


def _wider(axis: Axis, piece: Any, end: str, ends: Sequence[float]) -> str:
    """Return the option with the range widened, or a value added beyond the list's end."""
    if not isinstance(piece, Range):
        new = _beyond(axis.name, piece, end, _list_step(piece, end, ends), all(e > 0 for e in ends))
        pieces = (new, *axis.pieces) if end == "low" else (*axis.pieces, new)
        return text(Axis(axis.name, tuple(pieces)))
    limit = piece.low if end == "low" else piece.high
    log = piece.scale == "log"
    new = _beyond(axis.name, limit, end, 10.0 if log else piece.high - piece.low, log)
    wider = Range(new, piece.high, piece.scale) if end == "low" else Range(piece.low, new, piece.scale)
    return text(Axis(axis.name, tuple(wider if other == piece else other for other in axis.pieces)))


def _list_step(value: float, end: str, ends: Sequence[float]) -> float:
    """Ratio (of positive numbers) or distance between an end of a list and its neighbor."""
    ordered = sorted(set(ends))
    neighbor = ordered[1] if end == "low" else ordered[-2]
    if ordered[0] > 0:
        return max(value, neighbor) / min(value, neighbor)
    return abs(neighbor - value)


def _beyond(name: str, limit: float, end: str, step: float, ratio: bool) -> float:
    """Return a number beyond an end by a ratio or a distance, or as far as the field allows."""
    lower, upper = (limit / step, limit * step) if ratio else (limit - step, limit + step)
    new = lower if end == "low" else upper
    new = round(new) if isinstance(limit, int) else _rounded(new)
    if allowed(name, new) and new != limit:
        return new
    # A share, such as momentum, ends at 0 and 1: the end itself, else most of the way to it.
    last = 0.0 if end == "low" else 1.0
    near = int(last) if isinstance(limit, int) else _rounded(last + (limit - last) / 10)
    tries = (near,) if name in OFF else (type(limit)(last), near)
    return next((value for value in tries if allowed(name, value) and value != limit), _next(limit, end))


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


def _shown(value: float) -> str:
    return f"{value:.4g}"
