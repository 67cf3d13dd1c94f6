"""A trace as its readers see it: rows and chapters, made once for text, page, LaTeX, Markdown and JSON."""

__all__ = ["RULES", "STAGES", "Chapter", "Display", "DisplayRow", "SamplePart", "display", "small", "vector"]

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from tenfold.report.judge import SLIP, Judgment, tally
from tenfold.report.printed import FLOATS, exactly
from tenfold.teach.trace.checking import AUTOGRAD, DIFFERENCE, Checks, Errors
from tenfold.teach.trace.expressions import Expression, Precise, Sum, Symbol, Value, evaluate, rewritten
from tenfold.teach.trace.ledger import GivenNumber, Ledger, TraceLine
from tenfold.teach.trace.network import Network
from tenfold.teach.trace.notation import Written, circled, digits, exact_digits, in_all_styles, shown
from tenfold.text import inert

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
STAGES = {"forward": "forward", "loss": "loss", "derivative": "backward", "chain": "backward", "update": "update"}
CLOSE = 1e-3  # share of a value by which a difference of shown digits may be off


class DisplayRow(NamedTuple):
    """A line as it is shown, "symbol arrow formula = numbers sign value".

    numbers: None where the value is hidden. value: with six digits, or the number of the gap in a circle. exact: all of
    its digits, "" where they are too many, or hidden.
    """

    line: TraceLine
    stage: str
    formula: Written
    numbers: Written | None
    value: str
    exact: str
    gap: int | None
    errors: Errors
    judgments: Sequence[Judgment]

    @property
    def terms(self) -> list[tuple[str, Written]]:
        """Return the formula and the numbers, each after its sign, where they say more than what follows them."""
        terms = [("←" if self.stage == "update" else "=", self.formula)] if self.formula.text != self.value else []
        if self.numbers and self.numbers.text not in (self.value, self.formula.text):
            terms.append(("=", self.numbers))
        return terms

    @property
    def sign(self) -> str:
        """Return the sign before the value: "≈" where it has lost digits."""
        if self.gap is not None or self.exact == self.value:
            return "="
        return "=" if not self.exact and float(self.value.replace("−", "-")) == self.line.value else "≈"

    @property
    def all_digits(self) -> str:
        """Return all digits where the value has lost some and they can be read."""
        return self.exact if self.sign == "≈" else ""

    @property
    def checks(self) -> str:
        """Say how far the oracles are from this line; "" for a line that is left to the reader."""
        torch = "autograd" if self.stage == "backward" else "torch"
        errors = ((torch, self.errors.autograd), ("a difference", self.errors.difference))
        words = [
            f"{name} {f'is {small(error)} away' if error else 'gives the same'}"
            for name, error in errors
            if error is not None and self.gap is None
        ]
        return ", ".join([*words, *(["at the kink by autograd's convention"] if self.errors.kink else [])])


class SamplePart(NamedTuple):
    """The rows of one sample of an update, by stage; of a batch, of what is of no single sample.

    about: the sample's number, x and y.
    """

    sample: int | None
    about: str
    stages: list[tuple[str, list[DisplayRow]]]


class Chapter(NamedTuple):
    """The rows of one update. about: its sample, or how many."""

    title: str
    about: str
    parts: list[SamplePart]

    def stages(self) -> Iterator[tuple[str, list[DisplayRow]]]:
        """Yield the rows by stage, with the sample's number where there are several."""
        several = len([part for part in self.parts if part.sample is not None]) > 1
        for part in self.parts:
            for stage, rows in part.stages:
                yield f"{stage}, sample {part.sample}" if several and part.sample else stage, rows


class Display(NamedTuple):
    """A whole trace. name, notes, and the judgments of the rows are one line of visible characters each.

    heading: the network in one line. held: what all was checked against. counts: how often each verdict was given, None
    where nothing was judged.
    """

    network: Network
    name: str
    heading: str
    held: str
    givens: Sequence[GivenNumber]
    notes: list[str]
    rows: list[DisplayRow]
    chapters: list[Chapter]
    counts: dict[str, int] | None

    @property
    def about(self) -> list[str]:
        """Return what a document says before its lines."""
        gaps = f"Numbers left to the reader: {self.gaps}."
        return [f"{self.heading}.", f"Checked: {self.held}", *self.notes, *([gaps] if self.gaps else [])]

    @property
    def judged(self) -> list[tuple[DisplayRow, Judgment]]:
        """Return every judgment beside its row."""
        return [(row, judgment) for row in self.rows for judgment in row.judgments]

    @property
    def slips(self) -> list[int]:
        """Return the numbers of the lines with a slip."""
        return list(dict.fromkeys(row.line.number for row, judgment in self.judged if judgment.verdict == SLIP))

    @property
    def gaps(self) -> int:
        """Count the numbers that are left to the reader; one may stand on several lines."""
        return len({row.gap for row in self.rows} - {None})

    @property
    def rules(self) -> dict[str, str]:
        """Return the rules that occur, each with its sentence, in the order in which they do."""
        rules = {row.line.rule: RULES[row.line.rule] for row in self.rows}
        if any("> 0]" in row.formula.text for row in self.rows):
            rules["local derivative"] += f" {BRACKET}"
        return rules


def display(
    network: Network,
    ledger: Ledger,
    checks: Checks,
    judgments: Sequence[Judgment] | None,
    notes: Sequence[str],
    gaps: Mapping[str, int],
) -> Display:
    """Make the rows of a trace. judgments: None where nothing was printed; gaps: hidden lines -> number of the gap."""
    by_key: dict[str, list[Judgment]] = {}
    for judgment in judgments or ():
        seen = judgment._replace(sentence=inert(judgment.sentence), note=inert(judgment.note))
        by_key.setdefault(judgment.about, []).append(seen)
    rows = [_row(line, ledger, gaps, checks.errors[line.key], by_key.get(line.key, ())) for line in ledger.lines]
    sizes, rate = "-".join(map(str, network.sizes)), digits(network.learning_rate)
    how = "all samples in one update" if network.batch else "one sample an update"
    heading = f"{sizes}, {', '.join(network.activations)}; loss {network.loss}; η = {rate}; {how}"
    about = (network, inert(network.name), heading, _held(checks), ledger.givens)
    seen_notes, counts = list(map(inert, (*network.notes, *notes))), None if judgments is None else tally(judgments)
    return Display(*about, seen_notes, rows, list(_chapters(network, rows)), counts)


def _row(
    line: TraceLine, ledger: Ledger, gaps: Mapping[str, int], errors: Errors, judgments: Sequence[Judgment]
) -> DisplayRow:
    gap, stage, formula = gaps.get(line.key), STAGES[line.stage], in_all_styles(line.formula)
    if gap is not None:
        return DisplayRow(line, stage, formula, None, circled(gap), "", gap, errors, judgments)
    numbers, value = _numbers(line.formula, ledger.values, gaps), shown(line.value)
    return DisplayRow(line, stage, formula, numbers, value, exact_digits(line.value), gap, errors, judgments)


def _numbers(formula: Expression, values: Mapping[str, Value], gaps: Mapping[str, int]) -> Written:
    """Return the formula with numbers put in, a gap's number where one is hidden.

    A difference is its own value where it cannot be told from the digits that are shown of its parts.
    """
    lost: dict[str, str] = {}

    def readable(part: Expression) -> Expression | None:
        if not isinstance(part, Precise):
            return None
        key = part.of.key
        if key not in gaps and isinstance(part.written, Sum):
            value = float(evaluate(part, values))
            rough = float(evaluate(part.written, {key: exactly(shown(values[key]), FLOATS)}))
            if abs(rough - value) > CLOSE * abs(value):
                rest = f"1 − {key}"
                lost[rest] = shown(value)
                return Symbol(rest, rest, rest)
        return part.written

    def put(symbol: Symbol) -> str:
        return circled(gaps[symbol.key]) if symbol.key in gaps else lost.get(symbol.key) or shown(values[symbol.key])

    return in_all_styles(rewritten(formula, readable), put)


def _chapters(network: Network, rows: Sequence[DisplayRow]) -> Iterator[Chapter]:
    """Yield the updates; in a batch the stages begin anew with every sample."""
    for update, group in groupby(rows, key=lambda row: row.line.moment.update):
        parts = []
        # Without a batch, the update belongs to the sample.
        for sample, some in groupby(group, key=lambda row: row.line.moment.sample if network.batch else update):
            k = sample if network.batch else (update - 1) % len(network.samples) + 1
            x, y, label = network.samples[(k or 1) - 1]
            asked = vector(y) if label is None else f"class {label}"
            about = f"sample {k}: x = {vector(x)}, y = {asked}" if k else "the whole batch"
            stages = [(stage, list(same)) for stage, same in groupby(some, key=lambda row: row.stage)]
            parts.append(SamplePart(k, about, stages))
        samples = [part for part in parts if part.sample]
        about = samples[0].about if len(samples) == 1 else f"{len(samples)} samples in one batch"
        yield Chapter(f"Update {update}", about, parts)


def vector(values: Sequence[Value]) -> str:
    """Return one number with its digits, several in parentheses.

    >>> vector([1.0]), vector([1.0, -0.5])
    ('1', '(1, −0.5)')
    """
    listed = ", ".join(map(digits, values))
    return listed if len(values) == 1 else f"({listed})"


def _held(checks: Checks) -> str:
    count = len(checks.errors)
    text = (
        f"{count} line{'s' * (count != 1)}. Largest error against torch {small(checks.autograd)} (allowed "
        f"{small(AUTOGRAD)}), against central differences {small(checks.difference)} (allowed {small(DIFFERENCE)}), "
        f"of the layers' own pullbacks {small(checks.engine)}. Errors are shares of the numbers that went into a "
        "line, of 1 where these are smaller."
    )
    for count, why in (
        (checks.drowned, "Where rounding leaves no central difference"),
        (checks.kinks, "At a kink, where there is no central difference"),
    ):
        text += f" {why}: {count} line{'s' * (count != 1)}." if count else ""
    return text


def small(error: float) -> str:
    """Return an error to one digit.

    >>> small(2.2e-16), small(1e-6), small(0.0)
    ('2e−16', '1e−6', '0')
    """
    digit, _, exponent = f"{error:.0e}".partition("e")
    return f"{digit}e{int(exponent)}".replace("-", "−") if error else "0"
