"""What there is to say of a given hyperplane, sentence by sentence."""

__all__ = ["sentences"]

from collections.abc import Iterator, Sequence

from tenfold.teach.margin.types import Judged, Number, Points
from tenfold.teach.margin.wording import told, vector

NAMED = 5  # points that a sentence names


def sentences(found: Judged, points: Points) -> tuple[str, ...]:
    """Whether it separates, is feasible, canonical and optimal, and why not."""
    if not found.norm:
        return (f"w is 0, so that w·x + b is {told(found.b)} everywhere: this is no hyperplane",)
    parts = (_separation, _feasibility, _scale, _support, _optimality)
    return tuple(sentence for part in parts for sentence in part(found, points))


def _separation(found: Judged, points: Points) -> Iterator[str]:
    if not found.misclassified:
        yield "it separates the classes"
        return
    if max(found.functional) < 0:
        yield "it separates the classes the wrong way round: −w and −b would have each on its own side"
        return
    wrong = [i for i in found.misclassified if found.functional[i] < 0]
    on = [i for i in found.misclassified if found.functional[i] == 0]
    for places, where in ((wrong, "on the wrong side"), (on, "on the hyperplane itself")):
        if places:
            yield f"{_named(places, points)} {_lie(places)} {where}: it does not separate the classes"


def _feasibility(found: Judged, points: Points) -> Iterator[str]:
    if found.feasible:
        yield "feasible: s (w·x + b) is at least 1 at every point"
        return
    places = found.violated[:NAMED]
    shown = ", ".join(f"{told(found.functional[i])} at {points.labels[i]}" for i in places)
    more = f" and {len(found.violated) - NAMED:,} more" if len(found.violated) > NAMED else ""
    yield f"not feasible: s (w·x + b) has to be at least 1, but is {shown}{more}"


def _scale(found: Judged, points: Points) -> Iterator[str]:
    smallest = min(found.functional)
    if found.canonical:
        yield f"canonical: the smallest s (w·x + b) is 1, so that 1/‖w‖ = {told(found.margin)} is its margin"
    elif found.factor is not None:
        plane = f"w = {vector(_times(found.w, found.factor))}, b = {told(_product(found.b, found.factor))}"
        yield (
            f"not canonical: the smallest s (w·x + b) is {told(smallest)}, not 1, so that its margin is "
            f"{told(found.distance)} and not 1/‖w‖ = {told(found.margin)}; the same hyperplane is {plane}"
        )


def _support(found: Judged, points: Points) -> Iterator[str]:
    if found.on_margin:
        yield f"s (w·x + b) is exactly 1 at {_named(found.on_margin, points)}"
    else:
        yield "s (w·x + b) is exactly 1 at no point"


def _optimality(found: Judged, points: Points) -> Iterator[str]:
    if found.optimal:
        yield "optimal: w = Σ α s x and Σ α s = 0 with multipliers α ≥ 0 of these points"
        return
    if found.best is None:
        yield "not optimal: no hyperplane separates these classes"
        return
    if found.misclassified:
        yield f"not optimal: one exists that separates them with a margin of {told(found.best)}"
    elif found.best > found.distance * (1 + 1e-9):
        yield f"not optimal: the largest margin is {told(found.best)}, this one has {told(found.distance)}"
    else:
        yield "not optimal as it stands, although it is the best hyperplane: only its scale is wrong"
    yield from _stationarity(found, points)


def _stationarity(found: Judged, points: Points) -> Iterator[str]:
    if not found.on_margin or found.stationarity < 1e-9:
        return
    sides = {int(points.sign[i]) for i in found.on_margin}
    if len(sides) == 1:
        name = points.names[0 if 1 in sides else 1]
        yield f"no multipliers: s (w·x + b) is 1 at points of class {name} alone, so that Σ α s = 0 leaves only α = 0"
    else:
        left = f"{100 * found.stationarity:.3g} %"
        yield f"no multipliers α ≥ 0 of these points give w = Σ α s x: {left} of w is left over"


def _named(places: Sequence[int], points: Points) -> str:
    shown = [points.labels[i] for i in places[:NAMED]]
    if len(places) > NAMED:
        return f"{', '.join(shown)} and {len(places) - NAMED:,} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))


def _lie(places: Sequence[int]) -> str:
    return "lies" if len(places) == 1 else "lie"


def _times(w: Sequence[Number], factor: Number) -> list[Number]:
    return [_product(value, factor) for value in w]


def _product(a: Number, b: Number) -> Number:
    return a * b
