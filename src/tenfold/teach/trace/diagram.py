"""A network as a drawing: where its units, edges, biases and loss stand, and the places for the numbers beside them.

A part is a word such as "node-1-2", "edge-1-2-3" (layer, unit, the unit it comes from), "bias-1-2" or "loss"; a number
stands in one of the part's slots: value, pre, gradient, parameter, target.
"""

__all__ = ["Drawing", "drawing", "part"]

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, product
from typing import NamedTuple

from tenfold.teach.trace.expressions import Place

ROW = 15  # from one line of text to the next
PHONE = 360  # width of a drawing that goes down, so that a telephone shows it unscaled
CLOSEST = 27  # of two labels of edges, one under the other
WIDEST = 1000  # of a drawing that shows every number, so that these stay legible


class DrawnUnit(NamedTuple):
    """A circle, or the square of the loss."""

    part: str
    x: float
    y: float
    symbol: str


class DrawnEdge(NamedTuple):
    """A line with a tip at its end, for values, and one at its start, for gradients: corners of these."""

    part: str
    ends: tuple[float, float, float, float]
    tip: str
    back: str


class Label(NamedTuple):
    """Where a number stands. anchor: "start", "middle" or "end"."""

    part: str
    slot: str
    x: float
    y: float
    anchor: str


class Drawing(NamedTuple):
    """look: "roomy" shows every number, "dense" those of edges only where they are spoken of, "crowded" all only there.

    way: "across" or "down". weightless: edges from the output to the loss, and those of biases.
    """

    way: str
    look: str
    width: float
    height: float
    radius: float
    units: list[DrawnUnit]
    edges: list[DrawnEdge]
    weightless: list[DrawnEdge]
    labels: list[Label]


class _Plan(NamedTuple):
    """Distances: between layers, between units of a layer; radius of a unit; margins left (or above) and overhead."""

    way: str
    look: str
    layer: float
    unit: float
    radius: float
    margin: float
    overhead: float

    def point(self, sizes: Sequence[int], layer: int, unit: int) -> complex:
        """Return where a unit stands; units count from 1. The loss is the one unit of a layer behind the last."""
        count = sizes[layer] if layer < len(sizes) else 1
        middle = self.overhead + self.unit * (max(sizes) - 1) / 2
        along, aside = self.margin + layer * self.layer, middle + self.unit * (unit - (count + 1) / 2)
        return complex(along, aside) if self.way == "across" else complex(aside, along)


def part(place: Place) -> str:
    """Return the word of the part of the drawing at which a number stands.

    >>> part(Place("edge", 1, 2, 3, "gradient"))
    'edge-1-2-3'
    """
    return "loss" if place.kind == "loss" else "-".join(str(word) for word in place[:4] if word is not None)


def drawing(sizes: Sequence[int], symbols: Mapping[str, str], way: str) -> Drawing:
    """Draw the network "across" a page or "down" a telephone. symbols: what is written into a unit, by its part."""
    plan = _across(sizes) if way == "across" else _down(sizes)
    layers = enumerate((*sizes, 1))
    points = [[plan.point(sizes, layer, unit) for unit in range(1, width + 1)] for layer, width in layers]
    names = {f"node-{layer}-{k}": point for layer, row in enumerate(points[:-1]) for k, point in enumerate(row, 1)}
    units = [DrawnUnit(name, point.real, point.imag, symbols.get(name, "")) for name, point in names.items()]
    end = DrawnUnit("loss", points[-1][0].real, points[-1][0].imag, "L")
    edges: list[DrawnEdge] = []
    labels: list[Label] = []
    for layer, (before, after) in enumerate(pairwise(points[:-1]), 1):
        for (unit, stop), (source, start) in product(enumerate(after, 1), enumerate(before, 1)):
            edges.append(_edge(plan, f"edge-{layer}-{unit}-{source}", start, stop))
            labels += _edge_labels(plan, edges[-1], _share(len(before), len(after)))
    last = [unit for unit in units if unit.part.startswith(f"node-{len(sizes) - 1}-")]
    weightless = [_edge(plan, f"end-{unit.part}", complex(unit.x, unit.y), points[-1][0]) for unit in last]
    weightless += [_stub(plan, unit) for unit in units if not unit.part.startswith("node-0-")]
    labels += [label for unit in (*units, end) for label in _unit_labels(plan, unit)]
    along = 2 * plan.margin + len(sizes) * plan.layer
    aside = 2 * plan.overhead + (max(sizes) - 1) * plan.unit
    width, height = (along, aside) if way == "across" else (aside, along)
    return Drawing(way, plan.look, width, height, plan.radius, [*units, end], edges, weightless, labels)


def _across(sizes: Sequence[int]) -> _Plan:
    layer = 190 if max(sizes) == 1 else 280 if any(_share(*pair) < 0.5 for pair in pairwise(sizes)) else 225
    if _apart(sizes, 168) >= CLOSEST and layer * len(sizes) <= WIDEST:
        return _Plan("across", "roomy", layer, 168, 29, 72, 92)
    unit = 62.0 if max(sizes) <= 12 else max(9.0, 520 / max(sizes))
    look = "dense" if unit == 62 else "crowded"
    return _Plan("across", look, max(118, 620 / len(sizes)), unit, min(15.5, unit * 0.36), 56, 44)


def _down(sizes: Sequence[int]) -> _Plan:
    if max(sizes) == 1:
        return _Plan("down", "roomy", 92, 0, 22, 32, PHONE / 2)
    unit = min(120, (PHONE - 56) / (max(sizes) - 1))
    margin = (PHONE - unit * (max(sizes) - 1)) / 2
    return _Plan("down", "dense" if unit >= 48 else "crowded", 108, unit, min(15.5, unit * 0.4), 32, margin)


def _share(before: int, after: int) -> float:
    """Return where on an edge its numbers stand: in the middle, or nearer to its start where edges cross there."""
    return 0.3 if before > 1 and after > 1 else 0.5


def _apart(sizes: Sequence[int], unit: float) -> float:
    """Return the least distance between the labels of two edges. unit: distance of the units of a layer."""
    gaps = [unit]
    for before, after in pairwise(sizes):
        share = _share(before, after)
        starts, ends = ([unit * (k - (n - 1) / 2) for k in range(n)] for n in (before, after))
        heights = sorted((1 - share) * start + share * end for start in starts for end in ends)
        gaps += [b - a for a, b in pairwise(heights)]
    return min(gaps)


def _edge(plan: _Plan, name: str, start: complex, end: complex, gap: float | None = None, size: float = 0) -> DrawnEdge:
    """Draw an edge from the rim of one circle to that of the next. gap: at its start, where there is no circle."""
    way = (end - start) / abs(end - start)
    reach, size = plan.radius + 2, size or (8 if plan.look == "roomy" else 6)
    first, last = start + (reach if gap is None else gap) * way, end - reach * way
    ends = first.real, first.imag, last.real, last.imag
    return DrawnEdge(name, ends, _tip(last, way, size), _tip(first, -way, size))


def _tip(point: complex, way: complex, size: float) -> str:
    corners = (point + corner * size * way for corner in (0, complex(-1, 0.45), complex(-1, -0.45)))
    return " ".join(f"{corner.real:.1f},{corner.imag:.1f}" for corner in corners)


def _stub(plan: _Plan, unit: DrawnUnit) -> DrawnEdge:
    """Draw the short edge by which a bias comes in: from above, or from the left where the network goes down."""
    far = plan.radius + (20 if plan.look == "roomy" else 9)
    end = complex(unit.x, unit.y)
    start = end - complex(0, far) if plan.way == "across" else end - far
    return _edge(plan, unit.part.replace("node", "bias"), start, end, gap=0, size=5)


def _edge_labels(plan: _Plan, edge: DrawnEdge, share: float) -> Iterator[Label]:
    """Place the parameter above the line and its gradient below; beside a line that goes down.

    Where they are close to each other, neighbors stand at different heights.
    """
    x1, y1, x2, y2 = edge.ends
    alone = plan.way == "down" and plan.look == "roomy"
    if plan.way == "down" and not alone:
        _, _, unit, source = edge.part.split("-")
        share = 0.3 + 0.22 * ((int(unit) + int(source)) % 3)
    x, y, anchor = x1 + share * (x2 - x1) + 12 * alone, y1 + share * (y2 - y1), "start" if alone else "middle"
    above, below = (-3, ROW - 3) if alone else (0, 12) if plan.way == "down" else (-6, ROW)
    yield Label(edge.part, "parameter", x, y + above, anchor)
    yield Label(edge.part, "gradient", x, y + below, anchor)


def _unit_labels(plan: _Plan, unit: DrawnUnit) -> Iterator[Label]:
    """Place the numbers of a unit under its circle; beside it where the network goes down and there is room."""
    beside = plan.way == "down" and plan.look == "roomy"
    given = unit.part.startswith("node-0-")
    slots = ["value"] if given or unit.part == "loss" else ["pre", "value", "gradient"]
    if unit.part == "loss" and plan.look == "roomy":
        slots = ["target", "value"]
    x, anchor = (unit.x + plan.radius + 12, "start") if beside else (unit.x, "middle")
    top = unit.y - ROW * (len(slots) - 1) / 2 + 4 if beside else unit.y + plan.radius + 16
    for row, slot in enumerate(slots):
        # With little room, a value takes the place of the sum that it came from.
        below = row * ROW if plan.look == "roomy" else max(0, row - 1) * 12 - 4
        yield Label(unit.part, slot, x, top + below, anchor)
    if unit.part != "loss" and not given:
        yield from _bias_labels(plan, unit)


def _bias_labels(plan: _Plan, unit: DrawnUnit) -> Iterator[Label]:
    """Place those of a bias over the unit; at its left in a network that goes down, at its shoulder in little room."""
    name = unit.part.replace("node", "bias")
    if plan.look != "roomy":
        x, y, anchor, row = unit.x + plan.radius + 1, unit.y - plan.radius - 1, "start", -12
    elif plan.way == "across":
        x, y, anchor, row = unit.x, unit.y - plan.radius - 25, "middle", -ROW
    else:
        x, y, anchor, row = unit.x - plan.radius - 28, unit.y - 2, "end", ROW
    yield Label(name, "parameter", x, y, anchor)
    yield Label(name, "gradient", x, y + row, anchor)
