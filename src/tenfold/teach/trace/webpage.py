"""Worked back-propagation as one page: line by line through the network, forward, backward and through the updates."""

__all__ = ["page"]

from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup

from tenfold.report.document import document
from tenfold.report.judge import SLIP, counted_verdict
from tenfold.report.printed import FLOATS, exactly
from tenfold.teach.trace.chapters import Display, DisplayRow, vector
from tenfold.teach.trace.diagram import drawing, part
from tenfold.teach.trace.expressions import Place
from tenfold.teach.trace.ledger import Naming
from tenfold.teach.trace.network import Network
from tenfold.teach.trace.notation import digits, shown

ROOM = 8  # letters of a value that are shown in full beside its symbol
# What a verdict looks like, a shape and a color beside its words; one that follows from something earlier is "other".
LOOKS = {"exact": "holds", "rounded": "noise", "truncated": "noise", SLIP: "misses"}
PASSING = ("value", "pre", "gradient", "target")  # numbers that follow a sample, and leave with it


def page(trace: Display) -> str:
    """Return the page of a trace: self-contained, offline, readable without its script."""
    values = map(Naming(trace.network).values, range(len(trace.network.sizes)))
    units = {part(value.place): value.text for layer in values for value in layer if value.place}
    context = {
        "trace": trace,
        "math": Markup,
        "look": lambda verdict: LOOKS.get(verdict, "other"),
        "counted": counted_verdict,
        "drawings": [drawing(trace.network.sizes, units, way) for way in ("across", "down")],
    }
    return document("trace.html", context, _walk(trace), page_word="trace")


def _walk(trace: Display) -> dict[str, Any]:
    """Return what the script draws: each line's number, its slot, and the slots of its inputs.

    start: parameters before the first line; samples: what stands at the inputs and the loss, by sample.
    """
    symbols = [*(given.symbol for given in trace.givens), *(row.line.symbol for row in trace.rows)]
    slots = {symbol.key: _slot(symbol.place, symbol.key[0] == "s") for symbol in symbols if symbol.place}
    return {
        "start": [
            [slots[symbol.key], symbol.text, *_beside(shown(value))]
            for symbol, value in trace.givens
            if symbol.place and symbol.place.quantity == "parameter"
        ],
        "samples": {str(k): list(_ends(trace.network, k)) for k in range(1, len(trace.network.samples) + 1)},
        "steps": [_step(row, slots) for row in trace.rows],
        "passing": PASSING,
    }


def _step(row: DisplayRow, slots: Mapping[str, str]) -> list[Any]:
    """Return slot, symbol, value twice, the inputs' slots, stage, update, sample, whether the number stays."""
    line = row.line
    inputs = list(dict.fromkeys(slots[key] for key in line.inputs if key in slots))
    stays = line.place.quantity != "local"
    where = (line.moment.update, line.moment.sample)
    return [slots[line.key], line.symbol.text, *_beside(row.value), inputs, row.stage, *where, stays]


def _slot(place: Place, given: bool) -> str:
    """Return where on the drawing a number stands, part and slot as one word.

    A local derivative passes where gradients stay; what is given of the loss is its target.
    """
    if place.kind == "loss" and given:
        return "loss target"
    return f"{part(place)} {'gradient' if place.quantity == 'local' else place.quantity}"


def _beside(value: str) -> list[str]:
    """Return a value after its symbol, and alone, with three digits where it is long.

    >>> _beside("−0.00861014"), _beside("1000/3"), _beside("③")
    (['≈ −0.00861', '−0.00861'], ['= 1000/3', '333'], ['= ③', '③'])
    """
    whole = len(value) <= 5 or value.startswith("(")
    short = value if whole else f"{float(exactly(value, FLOATS)):.3g}".replace("-", "−")
    return [f"= {value}" if len(value) <= ROOM else f"≈ {short}", short]


def _ends(network: Network, k: int) -> Iterator[list[str]]:
    sample = network.samples[k - 1]
    for unit, (quantity, cell) in enumerate(zip(Naming(network).values(0), sample.x, strict=True), 1):
        yield [f"node-0-{unit} value", quantity.text, *_beside(digits(cell))]
    label = str(sample.label)
    yield ["loss target", *(("y", f"= {vector(sample.y)}", "") if network.regresses else ("class", label, label))]
