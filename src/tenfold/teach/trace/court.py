"""Numbers that somebody wrote down, held against the lines of a trace, in their order.

A printed number is exact, rounded or truncated (printed.py); or it follows: the line's own formula, with printed
values in place of some of its inputs, gives it; or it is a slip. What lies between a line and the nearest printed
quantities above it is worked out again from these. The explanation that replaces the fewest inputs is taken.
"""

__all__ = ["ReportedNumber", "judge"]

import itertools
import math
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from tenfold.report.judge import EARLIER_ROUNDING, EARLIER_SLIP, RENDERED, SLIP, Judgment, rendering
from tenfold.report.printed import FLOATS, exactly, fidelity, significant
from tenfold.teach.trace.causes import digit_cause, variants
from tenfold.teach.trace.expressions import Expression, Value, evaluate, settled
from tenfold.teach.trace.ledger import Ledger, TraceLine
from tenfold.teach.trace.notation import exact_digits, shown

REPLACED = 3  # inputs that an explanation replaces, besides all of them
EFFORT, LEAST, MOST = 400_000, 500, 20_000  # formulas worked out for all numbers; for one, at least and at most
BITS = 512  # what is tried out needs no more digits than anybody writes; long fractions take their time
READABLE = 12  # digits that a sentence can hold
TELLING = 2  # digits that a printed number needs, so that a mistake that gives it is no coincidence


class ReportedNumber(NamedTuple):
    """A number that was printed, for the line with this key. where: a note of the file, or ""."""

    key: str
    printed: str
    where: str = ""


class Ruling(NamedTuple):
    """A judgment, and the values that may stand behind its number, before it was rounded.

    These are by its explanation, and, last, from all of its inputs as they were before they were rounded, as a
    calculator's memory holds them.
    """

    judgment: Judgment
    carried: tuple[Value, ...]


class Stand(NamedTuple):
    """A value that may stand in for an input. words: how it was printed; slipped: it goes back to a slip."""

    key: str
    value: Value
    words: str
    slipped: bool


Stands = tuple[Stand, ...]


@dataclass
class _Court:
    """The trace, and what has been judged so far. sheet: values that were there to be read, by key.

    least: digits that a printed number needs to render a value that it is not.
    """

    ledger: Ledger
    sheet: Mapping[str, Fraction]
    lines: dict[str, TraceLine]
    values: dict[str, Value]
    effort: int
    least: int
    judged: dict[str, list[Ruling]] = field(default_factory=dict)


class _PrintedCase(NamedTuple):
    """A printed number before the court.

    edges: the printed quantities nearest above its line; path: the lines between, itself the last. as_printed,
    as_carried: what stands in for the edges, as it was printed and as it was before it was rounded.
    """

    court: _Court
    printed: str
    edges: tuple[str, ...]
    path: tuple[TraceLine, ...]
    as_printed: Stands
    as_carried: Stands

    @property
    def value(self) -> Value:
        return self.court.ledger.values[self.path[-1].key]

    def renders(self, value: Value) -> str:
        return rendering(self.printed, value, self.court.least)

    def worked(
        self, stands: Iterable[Stand], start: Mapping[str, Value] = {}, mistaken: Mapping[str, Expression] = {}
    ) -> Value | None:
        """Return the line's value with others in place of some, None where it has none.

        start: values of lines on the way to it, that are not worked out again; mistaken: formulas of some, by key.
        """
        changed: dict[str, Value] = {stand.key: stand.value for stand in stands} | dict(start)
        values = ChainMap(changed, self.court.values)
        for line in self.path:
            stale = line.key not in changed and any(key in changed for key in line.inputs)
            if stale or line.key in mistaken:
                try:
                    changed[line.key] = settled(evaluate(mistaken.get(line.key, line.formula), values), BITS)
                except (ArithmeticError, ValueError):
                    return None
        return values[self.path[-1].key]


def judge(
    ledger: Ledger, reported: Iterable[ReportedNumber], sheet: Mapping[str, Fraction] | None = None
) -> tuple[Judgment, ...]:
    """Judge every number, in the order of the lines. sheet: other lines as they were shown to who wrote them.

    With a sheet a 0 renders no number but 0: it tells no digit of what was to be worked out.
    """
    lines = {line.key: line for line in ledger.lines}
    numbers = sorted(reported, key=lambda number: lines[number.key].number)
    effort = min(max(EFFORT // max(1, len(numbers)), LEAST), MOST)
    values = {key: settled(value, BITS) for key, value in ledger.values.items()}
    court = _Court(ledger, sheet or {}, lines, values, effort, least=0 if sheet is None else 1)
    judgments: list[Judgment] = []
    for key, group in itertools.groupby(numbers, key=lambda number: number.key):
        court.judged[key] = [_ruling(_case(court, number), number) for number in group]
        for judgment, _ in court.judged[key]:
            printed = dict.fromkeys(other.judgment.printed for other in court.judged[key])
            others = [text for text in printed if text != judgment.printed]
            elsewhere = f"; printed as {' and '.join(others)} elsewhere" if others else ""
            judgments.append(judgment._replace(sentence=judgment.sentence + elsewhere))
    return tuple(judgments)


def _case(court: _Court, number: ReportedNumber) -> _PrintedCase:
    edges: set[str] = set()
    between, waiting = {number.key}, list(court.lines[number.key].inputs)
    while waiting:
        key = waiting.pop()
        if key in court.judged:
            edges.add(key)
        elif key in court.lines and key not in between:
            between.add(key)
            waiting += court.lines[key].inputs
    above, path = (
        sorted((court.lines[key] for key in keys), key=lambda line: line.number) for keys in (edges, between)
    )
    keys = tuple(line.key for line in above)
    as_printed = _last_printed(court, keys, lambda ruling: exactly(ruling.judgment.printed, FLOATS))
    as_carried = _last_printed(court, keys, lambda ruling: ruling.carried[-1])
    return _PrintedCase(court, number.printed, keys, tuple(path), as_printed, as_carried)


def _last_printed(court: _Court, keys: Sequence[str], value_of: Callable[[Ruling], Value]) -> Stands:
    """Return what stands in for printed quantities; of several printings the last that is no slip."""
    stands: list[Stand] = []
    for key in keys:
        rulings = court.judged[key]
        last = ([ruling for ruling in rulings if ruling.judgment.verdict != SLIP] or rulings)[-1]
        stands += [stand for stand in _stands(court, key) if stand.value == value_of(last)]
    return tuple(stands)


def _ruling(case: _PrintedCase, number: ReportedNumber) -> Ruling:
    verdict, sentence, carried = _explained(case)
    judgment = Judgment(number.key, number.printed, shown(case.value), verdict, sentence, number.where)
    memory = case.worked(case.as_carried)
    if memory is not None and memory != carried and fidelity(number.printed, memory):
        return Ruling(judgment, (carried, memory))
    return Ruling(judgment, (carried,))


def _explained(case: _PrintedCase) -> tuple[str, str, Value]:
    """Return verdict, sentence, and the value before it was rounded."""
    verdict = case.renders(case.value)
    if verdict:
        sentence, digits = verdict, exact_digits(case.value)
        if verdict != "exact":
            sentence += f" from {digits if 0 < len(digits) <= READABLE else f'{shown(case.value)}…'}"
        other = case.worked(case.as_printed)
        if other is not None and case.as_printed and not fidelity(case.printed, other):
            sentence += f"; its own printed inputs would give {shown(other)}"
        return verdict, sentence, case.value
    followed = _followed(case)
    if followed is None:
        return SLIP, *_slipped(case)
    stands, carried = followed
    verdict = EARLIER_SLIP if any(stand.slipped for stand in stands) else EARLIER_ROUNDING
    words = " and ".join(stand.words for stand in stands) or "the numbers as the sheet shows them"
    return verdict, f"{verdict}: {words}; the value is {shown(case.value)}", carried


def _stands(court: _Court, key: str) -> list[Stand]:
    """Return what may stand in for a printed quantity, the printings first."""
    line, rulings = court.lines[key], court.judged[key]
    several = court.ledger.lines[-1].moment.update > 1 and line.stage == "update"
    name = f"{line.symbol.text} of update {line.moment.update}" if several else line.symbol.text
    printings = [(ruling, exactly(ruling.judgment.printed, FLOATS), "printed") for ruling in rulings]
    before = [(ruling, value, "before it was printed") for ruling in rulings for value in ruling.carried]
    stands: dict[Value, Stand] = {}
    for ruling, value, how in (*printings, *before):
        slipped = ruling.judgment.verdict in (SLIP, EARLIER_SLIP)
        if value != court.ledger.values[key]:
            stands.setdefault(value, Stand(key, value, f"{name} {how} as {ruling.judgment.printed}", slipped))
    return list(stands.values())


def _followed(case: _PrintedCase) -> tuple[Stands, Value] | None:
    """Return the explanation with the fewest replaced inputs and its value; of equals the most faithful."""
    choices = list(filter(None, (_stands(case.court, key) for key in case.edges)))
    effort, sheet = case.court.effort // len(case.path), case.court.sheet
    above = [key for line in case.path for key in (*line.inputs, line.key)][:-1]
    as_shown = {key: sheet[key] for key in above if key in sheet}
    for count in range(min(REPLACED, len(choices)) + 1):
        fitting: list[tuple[int, int, Stands, Value]] = []
        mixes = (mix for keys in itertools.combinations(choices, count) for mix in itertools.product(*keys))
        for stands in itertools.islice(mixes, max(0, effort)):
            effort -= 1
            value = case.worked(stands, {} if count else as_shown)
            if value is not None and (verdict := case.renders(value)):
                slips = sum(stand.slipped for stand in stands)
                fitting.append((RENDERED.index(verdict), slips, stands, value))
        if fitting:
            return min(fitting, key=lambda one: one[:2])[2:]
    for stands in (case.as_printed, case.as_carried):
        value = case.worked(stands)
        if value is not None and stands and case.renders(value):
            return stands, value
    return None


def _slipped(case: _PrintedCase) -> tuple[str, Value]:
    """Return the sentence on a slip, and the value that was carried on: the mistake's, where one explains it."""
    other = case.worked(case.as_printed) if case.as_printed else None
    digits = digit_cause(case.printed, [value for value in (case.value, other) if value is not None])
    if fidelity(case.printed, case.value):
        digits = f"{case.printed} tells no digit of it"
    cause, carried, rule = _cause(case) or (digits, exactly(case.printed, FLOATS), case.path[-1].rule)
    # Without a cause the mistake may be in any line that nothing was printed of.
    where = f"in the {rule}" if cause or len(case.path) == 1 else f"in the {rule} or on the way to it"
    sentence = f"{SLIP}, {where}: the value is {shown(case.value)}"
    if other is not None and shown(other) != shown(case.value):
        sentence += f", from its own printed inputs {shown(other)}"
    return f"{sentence}; {cause}" if cause else sentence, carried


def _cause(case: _PrintedCase) -> tuple[str, Value, str] | None:
    """Return the likeliest mistake that gives the printed number, the value it gives, and the rule of its line.

    The line's own formula comes first, and before the printed inputs the true ones.
    """
    if not significant(case.printed):  # a 0 comes out of anything
        return None
    bases = list(dict.fromkeys(((), case.as_printed, case.as_carried)))
    before = {base: case.worked(base) for base in bases}
    effort = case.court.effort // len(case.path)
    for line in reversed(case.path):
        mistakes = list(itertools.islice(variants(line, case.court.lines, case.court.values), max(0, effort)))
        effort -= len(mistakes) * len(bases)
        for base in bases:
            right = before[base]
            values = [(phrase, case.worked(base, mistaken={line.key: formula})) for phrase, formula in mistakes]
            fitting = [(phrase, value) for phrase, value in values if value is not None and value != right]
            fitting = [one for one in fitting if rendering(case.printed, one[1], TELLING)]
            if fitting:
                turned = [one for one in fitting if right is not None and math.isclose(one[1], -right)]
                # Of several the first that turns the sign alone.
                phrase, value = (turned or fitting)[0]
                place = "" if line is case.path[-1] else f" in {line.symbol.text}"
                return f"{case.printed} comes out{place} {phrase}", value, line.rule
    return None
