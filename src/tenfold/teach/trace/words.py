"""What is said of a trace, in whatever form: rules, groups of lines, checks, and what became of printed numbers."""

__all__ = [
    "RULES",
    "STAGES",
    "Group",
    "Said",
    "arrow",
    "checks",
    "formula",
    "gaps",
    "groups",
    "heading",
    "held",
    "numbers",
    "rules",
    "said",
    "sign",
    "small",
    "value",
    "vector",
]

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from tenfold.teach.trace.notation import circled

Trace = Mapping[str, Any]
Line = Mapping[str, Any]
RULES = {
    "forward sum": "A unit adds its bias to the sum of what comes in, each input times the weight of its edge.",
    "activation": "The activation takes that sum; what comes out goes on to the next layer.",
    "loss": "The loss says in one number how far the output is from what the sample asks for.",
    "local derivative": "How fast a number changes with one of those that it is made of, the others held still.",
    "chain rule": "The gradient that arrived, times the local derivative on the way, is the gradient one step further "
    "back; where several ways meet, they add up.",
    "mean over the batch": "The cost is the mean of the samples' losses, so its gradient is the mean of theirs.",
    "update": "A parameter takes a step against its gradient, as long as the learning rate says.",
}
BRACKET = "[z > 0] is 1 where that holds, else 0."
STAGES = {
    "forward": "forward",
    "loss": "loss",
    "derivative": "backward",
    "chain": "backward",
    "update": "update",
}


class Group(NamedTuple):
    """The lines of one update. about: its sample, or how many; stages: title and lines, in order."""

    title: str
    about: str
    stages: list[tuple[str, list[Line]]]


class Said(NamedTuple):
    """A number that somebody wrote down for a line, and what became of it: a verdict, and the rest of its sentence."""

    line: Line
    printed: str
    where: str
    verdict: str
    rest: str


def groups(trace: Trace) -> Iterator[Group]:
    """Updates, each with its stages; in a batch these begin anew with every sample."""
    samples = {sample["number"]: sample for sample in trace["samples"]}
    for update, found in groupby(trace["lines"], key=lambda line: line["update"]):
        lines = list(found)
        own = list(dict.fromkeys(line["sample"] for line in lines if line["sample"] is not None))
        stages = [
            (stage if sample is None or len(own) == 1 else f"{stage}, sample {sample}", list(some))
            for (sample, stage), some in groupby(lines, key=lambda line: (line["sample"], STAGES[line["stage"]]))
        ]
        about = _given(samples[own[0]]) if len(own) == 1 else f"{len(own)} samples in one batch"
        yield Group(f"Update {update}", about, stages)


def _given(sample: Mapping[str, Any]) -> str:
    x, y = sample["x"], sample["y"]
    told = f"class {y}" if isinstance(y, int) else f"y = {vector(y)}"
    return f"sample {sample['number']}: x = {vector(x)}, {told}"


def vector(values: Sequence[str]) -> str:
    """One number as it is, several in parentheses.

    >>> vector(["1"]), vector(["1", "-0.5"])
    ('1', '(1, −0.5)')
    """
    listed = [str(value).replace("-", "−") for value in values]
    return listed[0] if len(listed) == 1 else f"({', '.join(listed)})"


def heading(trace: Trace) -> str:
    """The network in one line: layers, activations, loss, learning rate."""
    network = trace["network"]
    return (
        f"{'-'.join(map(str, network['sizes']))} network, {', '.join(network['activations'])}; "
        f"loss {network['loss'].replace('_', ' ')}; learning rate {network['learning_rate']}"
    )


def held(trace: Trace) -> str:
    """What the whole trace was held against, and how far it was from that."""
    checked = trace["checked"]
    count = f"{checked['lines']} line{'s' * (checked['lines'] != 1)}"
    kinks = f"; {checked['kinks']} at an exact kink, where a difference says nothing" if checked["kinks"] else ""
    if checked.get("drowned"):
        kinks += f"; {checked['drowned']} where rounding leaves no difference"
    return (
        f"{count} held against torch and its autograd (off by {small(checked['autograd'] or 0)} at most, allowed "
        f"{small(checked['tolerance_autograd'])}) and a central difference ({small(checked['difference'] or 0)}, "
        f"{small(checked['tolerance_difference'])}){kinks}. Errors are shares of the numbers that went into a "
        "line, of 1 where these are smaller."
    )


def gaps(trace: Trace) -> int:
    """How many numbers are left to the reader; one may stand on several lines."""
    return len({line["gap"] for line in trace["lines"]} - {None})


def small(error: float) -> str:
    """An error to one digit.

    >>> small(2.2e-16), small(1e-6), small(0.0)
    ('2e−16', '1e−6', '0')
    """
    digit, _, exponent = f"{error:.0e}".partition("e")
    return f"{digit}e{int(exponent)}".replace("-", "−") if error else "0"


def rules(trace: Trace) -> list[tuple[str, str]]:
    """The rules that occur, each with its sentence, in the order in which they do."""
    steps = any("> 0]" in line["formula"]["text"] for line in trace["lines"])
    told = RULES | ({"local derivative": f"{RULES['local derivative']} {BRACKET}"} if steps else {})
    return [(rule, told.get(rule, "")) for rule in dict.fromkeys(line["rule"] for line in trace["lines"])]


def value(line: Line) -> str:
    """The value as it is shown; the number of the gap where it is left to the reader."""
    return str(line["shown"]) if line.get("gap") is None else circled(line["gap"])


def arrow(line: Line) -> str:
    """Between a line and its formula; "" where the formula brings its own."""
    return "" if "←" in line["formula"]["text"] else "←" if line["stage"] == "update" else "="


def formula(line: Line) -> Mapping[str, str] | None:
    """The formula, where it says more than the value."""
    found: Mapping[str, str] = line["formula"]
    return found if found["text"] != value(line) else None


def numbers(line: Line) -> Mapping[str, str] | None:
    """The numbers put in, where they say more than formula and value do."""
    found: Mapping[str, str] | None = line["numbers"]
    return found if found and found["text"] not in (value(line), line["formula"]["text"]) else None


def sign(line: Line) -> str:
    """Before the value: "≈" where what is shown has lost digits."""
    if line["gap"] is not None or line["exact"] == line["shown"]:
        return "="
    return "=" if not line["exact"] and float(line["shown"].replace("−", "-")) == line["value"] else "≈"


def checks(line: Line) -> str:
    """How far the two oracles are from this line; "" for a line that is left to the reader."""
    oracles = {"autograd": "autograd" if STAGES[line["stage"]] == "backward" else "torch", "difference": "a difference"}
    found = {name: line["errors"][key] for key, name in oracles.items()}
    told = [f"{name} {_off(error)}" for name, error in found.items() if error is not None]
    return ", ".join([*told, *(["at the kink by autograd's convention"] if line["kink"] else [])])


def _off(error: float) -> str:
    return f"is {small(error)} away" if error else "gives the same"


def said(lines: Sequence[Line]) -> list[Said]:
    """What was printed for these lines, in their order."""
    return [
        Said(line, str(found["printed"]), str(found.get("where") or ""), *_verdict(found))
        for line in lines
        for found in line["reported"] or ()
    ]


def _verdict(found: Mapping[str, Any]) -> tuple[str, str]:
    verdict, sentence = str(found["verdict"]), str(found.get("sentence") or "")
    if sentence.startswith(verdict):
        return verdict, sentence.removeprefix(verdict)
    return verdict, f": {sentence}" if sentence else ""
