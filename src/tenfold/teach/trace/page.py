"""Worked back-propagation as one page: line by line through the network, forward, backward and through the updates."""

__all__ = ["page"]

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from markupsafe import Markup

from tenfold.report.document import document
from tenfold.report.wording import label
from tenfold.teach.judge import counted_verdict
from tenfold.teach.printed import FLOATS, exactly
from tenfold.teach.trace import words
from tenfold.teach.trace.diagram import drawing, part
from tenfold.teach.trace.mathml import mathml

Trace = Mapping[str, Any]
Line = Mapping[str, Any]
LONG, ROOM = 600, 8
# What a verdict looks like, a shape and a color beside its words; one that follows from something earlier is "other".
STYLES = {"exact": "holds", "rounded": "noise", "truncated": "noise", "slip here": "misses"}
# Which numbers follow a sample, and leave with it.
PASSING = ("value", "pre", "gradient", "target")


class Shown(NamedTuple):
    """A line as mathematics, from symbol and arrow to sign and value. exact: all digits where more than are shown."""

    line: Line
    stage: str
    symbol: Markup
    arrow: str
    formula: Markup
    numbers: Markup
    sign: str
    value: str
    exact: str
    checks: str
    said: list[tuple[words.Said, str]]


class Group(NamedTuple):
    """The lines of an update; stages: title and lines."""

    title: str
    about: str
    stages: list[tuple[str, list[Shown]]]


def page(trace: Trace) -> str:
    """The page of a trace (its JSON form): self-contained, offline, readable without its script."""
    trace = _visible(trace)
    found = words.said(trace["lines"])
    context = {
        "trace": trace,
        "heading": words.heading(trace),
        "held": words.held(trace),
        "groups": [_group(trace, group) for group in words.groups(trace)],
        "gaps": words.gaps(trace),
        "said": [(said, _math(said.line["symbol"]), _style(said.verdict)) for said in found],
        "counts": [(counted_verdict(verdict, n), _style(verdict)) for verdict, n in _counts(trace).items() if n],
        "rules": words.rules(trace),
        "drawings": [drawing(trace["network"]["sizes"], _symbols(trace), way) for way in ("across", "down")],
    }
    return document("trace.html", context, _walk(trace), own="trace")


def _visible(found: Any) -> Any:
    """The same with every text one line of visible characters."""
    if isinstance(found, str):
        return label(found, LONG) if found else ""
    if isinstance(found, Mapping):
        return {key: own if key in ("latex", "text") else _visible(own) for key, own in found.items()}
    return [_visible(own) for own in found] if isinstance(found, list | tuple) else found


def _counts(trace: Trace) -> Mapping[str, int]:
    return (trace["judged"] or {}).get("counts") or {}


def _style(verdict: str) -> str:
    return STYLES.get(verdict, "other")


def _group(trace: Trace, group: words.Group) -> Group:
    stages = [(stage.capitalize(), [_shown(trace, line, stage) for line in lines]) for stage, lines in group.stages]
    return Group(group.title, group.about, stages)


def _shown(trace: Trace, line: Line, stage: str) -> Shown:
    sign = words.sign(line)
    return Shown(
        line,
        stage.partition(",")[0],
        _math(line["symbol"]),
        words.arrow(line),
        _math(words.formula(line)),
        _math(words.numbers(line)),
        sign,
        words.value(line),
        line["exact"] if sign == "≈" and line["exact"] else "",
        words.checks(line),
        [(said, _style(said.verdict)) for said in words.said([line])],
    )


def _math(written: Mapping[str, str] | None) -> Markup:
    """A formula as mathematics, as plain text where the browser's mathematics has no words for it."""
    if not written:
        return Markup()
    return mathml(written["latex"]) or Markup('<span class="plain">{}</span>').format(written["text"])


def _symbols(trace: Trace) -> dict[str, str]:
    """What stands inside a unit: the symbol of its value."""
    found = [entry for entry in (*trace["lines"], *trace["givens"]) if _slot(entry).endswith(" value")]
    inputs = {f"node-0-{unit}": symbol for unit, symbol in enumerate(_inputs(trace["network"]["sizes"][0]), 1)}
    return inputs | {part(entry["place"]): entry["symbol"]["text"] for entry in reversed(found)}


def _inputs(width: int) -> list[str]:
    """The symbols of a sample's numbers."""
    below = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
    return ["x"] if width == 1 else [f"x{unit}".translate(below) for unit in range(1, width + 1)]


def _walk(trace: Trace) -> dict[str, Any]:
    """What the script draws: for each line its number's slot, what is written there, and the slots of its inputs.

    start: parameters before the first line; samples: what stands at the inputs and the loss, by sample.
    """
    places = {entry["key"]: _slot(entry) for entry in (*trace["givens"], *trace["lines"])}
    return {
        "start": [_written(given) for given in trace["givens"] if _slot(given).endswith(" parameter")],
        "samples": {str(sample["number"]): list(_ends(sample)) for sample in trace["samples"]},
        "steps": [_step(line, places) for line in trace["lines"]],
        "passing": PASSING,
    }


def _step(line: Line, places: Mapping[str, str]) -> list[Any]:
    """Slot, symbol, value twice, the inputs' slots, stage, update, sample, whether the number stays."""
    inputs = list(dict.fromkeys(places[key] for key in line["inputs"] if key in places))
    return [
        *_written(line),
        inputs,
        words.STAGES[line["stage"]],
        line["update"],
        line["sample"],
        (line["place"] or {}).get("quantity") != "local",
    ]


def _slot(entry: Line) -> str:
    """Where on the drawing a number stands, part and slot as one word; "" for nowhere.

    A local derivative passes where gradients stay; what is given of the loss is its target.
    """
    if not entry["place"]:
        return ""
    quantity = entry["place"]["quantity"]
    if entry["place"]["kind"] == "loss" and "stage" not in entry:
        return "loss target"
    return f"{part(entry['place'])} {'gradient' if quantity == 'local' else quantity}"


def _written(entry: Line) -> list[str]:
    """Slot, symbol, and the value where there is room, and where there is little."""
    value = words.value(entry)
    return [_slot(entry), entry["symbol"]["text"], *_told(value)]


def _told(value: str) -> list[str]:
    """A value after its symbol, and alone, with three digits where it is long.

    >>> _told("−0.00861014"), _told("1000/3"), _told("③")
    (['≈ −0.00861', '−0.00861'], ['= 1000/3', '333'], ['= ③', '③'])
    """
    whole = len(value) <= 5 or value.startswith("(")
    short = value if whole else f"{float(exactly(value, FLOATS)):.3g}".replace("-", "−")
    return [f"= {value}" if len(value) <= ROOM else f"≈ {short}", short]


def _ends(sample: Mapping[str, Any]) -> Iterator[list[str]]:
    """What a sample puts at the inputs and at the loss."""
    for unit, (symbol, value) in enumerate(zip(_inputs(len(sample["x"])), sample["x"], strict=True), 1):
        yield [f"node-0-{unit} value", symbol, *_told(value.replace("-", "−"))]
    y = sample["y"]
    yield ["loss target", *(["class", str(y), str(y)] if isinstance(y, int) else ["y", f"= {words.vector(y)}", ""])]
