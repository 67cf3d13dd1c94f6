"""Numbers that somebody wrote down, held against the lines of a trace, in their order.

A printed number is exact, rounded or truncated (printed.py); or it follows: the line's own formula, with printed
values in place of some of its inputs, gives it; or it is a slip. What lies between a line and the nearest printed
quantities above it is worked out again from these. The explanation that replaces the fewest inputs is taken.
"""

__all__ = ["ReportedNumber", "judge"]

import itertools
import math
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from tenfold.teach.judge import EARLIER_ROUNDING, EARLIER_SLIP, RENDERED, SLIP, Judgment, rendering
from tenfold.teach.printed import FLOATS, exactly, fidelity, significant
from tenfold.teach.trace.causes import digit_cause, variants
from tenfold.teach.trace.expressions import Expression, Value, evaluate, settled
from tenfold.teach.trace.ledger import Ledger, TraceLine
from tenfold.teach.trace.notation import exact_digits, shown

# Inputs that an explanation replaces, besides all of them.
REPLACED = 3
# Formulas that are worked out for all numbers, and for one of them at least and at most.
EFFORT, LEAST, MOST = 400_000, 500, 20_000
# What is tried out needs no more digits than anybody writes; long fractions take their time.
BITS = 512
# Digits that a sentence can hold.
READABLE = 12
# Digits that a printed number needs, so that a mistake that gives it is no coincidence.
TELLING = 2


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

    @property
    def slipped(self) -> bool:
        """Return whether its number is wrong by a slip, its own or an earlier one."""
        return self.judgment.verdict in (SLIP, EARLIER_SLIP)


class Stand(NamedTuple):
    """A value that may stand in for an input. told: how it was printed; slipped: it goes back to a slip."""

    key: str
    value: Value
    told: str
    slipped: bool


class Around(NamedTuple):
    """What decides a line: the printed quantities nearest above it, and the lines between, itself the last."""

    edges: tuple[str, ...]
    path: tuple[TraceLine, ...]


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


def judge(
    ledger: Ledger, entries: Iterable[ReportedNumber], sheet: Mapping[str, Fraction] | None = None
) -> tuple[Judgment, ...]:
    """Judge every entry, in the order of the lines. sheet: other lines as they were shown to who wrote the entries.

    With a sheet a 0 renders no number but 0: it tells no digit of what was to be worked out.
    """
    listed = list(entries)
    lines = {line.key: line for line in ledger.lines}
    effort = min(max(EFFORT // max(1, len(listed)), LEAST), MOST)
    values = {key: settled(value, BITS) for key, value in ledger.values.items()}
    court = _Court(ledger, sheet or {}, lines, values, effort, least=0 if sheet is None else 1)
    found = []
    for key, group in itertools.groupby(sorted(listed, key=lambda e: lines[e.key].number), key=lambda e: e.key):
        rulings = [_judged(court, lines[key], entry) for entry in group]
        court.judged[key] = rulings
        same = [ruling.judgment for ruling in rulings]
        found += [_beside(judgment, same) for judgment in same]
    return tuple(found)


def _beside(judgment: Judgment, same: Sequence[Judgment]) -> Judgment:
    """With a word on the other places where the quantity is printed differently."""
    others = list(dict.fromkeys(other.printed for other in same if other.printed != judgment.printed))
    if not others:
        return judgment
    return judgment._replace(sentence=f"{judgment.sentence}; printed as {' and '.join(others)} elsewhere")


def _judged(court: _Court, line: TraceLine, entry: ReportedNumber) -> Ruling:
    around = _around(court, line)
    wholes = _wholes(court, around)
    verdict, sentence, carried = _explained(court, line, around, wholes, entry.printed)
    right = shown(court.ledger.values[line.key])
    judgment = Judgment(entry.key, entry.printed, right, verdict, sentence, entry.where)
    memory = _worked(court, around, wholes[-1])
    if memory is not None and memory != carried and fidelity(entry.printed, memory):
        return Ruling(judgment, (carried, memory))
    return Ruling(judgment, (carried,))


def _explained(
    court: _Court, line: TraceLine, around: Around, wholes: Sequence[tuple[Stand, ...]], printed: str
) -> tuple[str, str, Value]:
    """Verdict, sentence, and the value before it was rounded."""
    value = court.ledger.values[line.key]
    verdict = rendering(printed, value, court.least)
    if verdict:
        sentence, own = _faithful(verdict, value), _worked(court, around, wholes[0])
        if own is not None and wholes[0] and not fidelity(printed, own):
            sentence += f"; its own printed inputs would give {shown(own)}"
        return verdict, sentence, value
    followed = _followed(court, around, wholes, printed)
    if followed is None:
        return SLIP, *_slipped(court, line, around, wholes, printed)
    stands, carried = followed
    verdict = EARLIER_SLIP if any(stand.slipped for stand in stands) else EARLIER_ROUNDING
    told = " and ".join(stand.told for stand in stands) or "the numbers as the sheet shows them"
    return verdict, f"{verdict}: {told}; the value is {shown(value)}", carried


def _faithful(verdict: str, value: Value) -> str:
    if verdict == "exact":
        return "exact"
    digits = exact_digits(value)
    return f"{verdict} from {digits if 0 < len(digits) <= READABLE else f'{shown(value)}…'}"


def _around(court: _Court, line: TraceLine) -> Around:
    edges: set[str] = set()
    between: dict[str, TraceLine] = {line.key: line}
    waiting = list(line.inputs)
    while waiting:
        key = waiting.pop()
        if key in court.judged:
            edges.add(key)
        elif key in court.lines and key not in between:
            between[key] = court.lines[key]
            waiting += between[key].inputs
    ordered = sorted(edges, key=lambda key: court.lines[key].number)
    return Around(tuple(ordered), tuple(sorted(between.values(), key=lambda own: own.number)))


def _worked(
    court: _Court, around: Around, stands: Iterable[Stand], start: Mapping[str, Value] | None = None
) -> Value | None:
    """The line's value with other values in place of some; None where there is none. start: of lines between."""
    changed: dict[str, Value] = {stand.key: stand.value for stand in stands} | dict(start or {})
    values = ChainMap(changed, court.values)
    for line in around.path:
        if line.key not in changed and any(key in changed for key in line.inputs):
            try:
                changed[line.key] = settled(evaluate(line.formula, values), BITS)
            except (ArithmeticError, ValueError):
                return None
    return values[around.path[-1].key]


def _stands(court: _Court, key: str) -> list[Stand]:
    """What may stand in for a printed quantity, the printings first."""
    true, text, found = court.ledger.values[key], court.lines[key].symbol.text, []
    seen: list[Value] = [true]
    for ruling in court.judged[key]:
        value = exactly(ruling.judgment.printed, FLOATS)
        if value not in seen:
            seen.append(value)
            told = f"{_of(court, key, text)} printed as {ruling.judgment.printed}"
            found.append(Stand(key, value, told, ruling.slipped))
    for ruling in court.judged[key]:
        for carried in ruling.carried:
            if carried not in seen:
                seen.append(carried)
                told = f"{_of(court, key, text)} before it was printed as {ruling.judgment.printed}"
                found.append(Stand(key, carried, told, ruling.slipped))
    return found


def _of(court: _Court, key: str, text: str) -> str:
    """A quantity, with its update where that is not plain."""
    moment = court.lines[key].moment
    several = court.ledger.lines[-1].moment.update > 1
    return f"{text} of update {moment.update}" if several and court.lines[key].stage == "update" else text


def _wholes(court: _Court, around: Around) -> list[tuple[Stand, ...]]:
    """Every printed input as it was printed, and every one as it was before; of several the last that is no slip."""
    printed, carried = [], []
    for key in around.edges:
        last = ([own for own in court.judged[key] if own.judgment.verdict != SLIP] or court.judged[key])[-1]
        stands = {stand.value: stand for stand in _stands(court, key)}
        printed += [stands[value] for value in (exactly(last.judgment.printed, FLOATS),) if value in stands]
        carried += [stands[value] for value in last.carried[-1:] if value in stands]
    return [tuple(printed), tuple(carried)]


def _followed(
    court: _Court, around: Around, wholes: Sequence[tuple[Stand, ...]], printed: str
) -> tuple[tuple[Stand, ...], Value] | None:
    """The explanation with the fewest replaced inputs and the value it gives; of equals the most faithful."""
    choices = [own for key in around.edges if (own := _stands(court, key))]
    effort = court.effort // len(around.path)
    for count in range(min(REPLACED, len(choices)) + 1):
        found: list[tuple[tuple[int, int], int, tuple[Stand, ...], Value]] = []
        for stands in itertools.islice(_mixes(choices, count), max(0, effort)):
            effort -= 1
            value = _worked(court, around, stands, _sheet(court, around) if not count else None)
            if value is not None and (verdict := rendering(printed, value, court.least)):
                rank = (RENDERED.index(verdict), sum(stand.slipped for stand in stands))
                found.append((rank, len(found), stands, value))
        if found:
            return min(found, key=lambda one: one[:2])[2:]
    for stands in wholes:
        value = _worked(court, around, stands)
        if value is not None and stands and rendering(printed, value, court.least):
            return stands, value
    return None


def _sheet(court: _Court, around: Around) -> dict[str, Value]:
    """What lies above the line, as the sheet shows it."""
    keys = [key for line in around.path for key in (*line.inputs, line.key)]
    return {key: court.sheet[key] for key in keys[:-1] if key in court.sheet}


def _mixes(choices: Sequence[Sequence[Stand]], count: int) -> Iterator[tuple[Stand, ...]]:
    for keys in itertools.combinations(choices, count):
        yield from itertools.product(*keys)


def _slipped(
    court: _Court, line: TraceLine, around: Around, wholes: Sequence[tuple[Stand, ...]], printed: str
) -> tuple[str, Value]:
    """What is to be said of a slip, and the value that was carried on: the mistake's, where one explains it."""
    value = court.ledger.values[line.key]
    own = _worked(court, around, wholes[0]) if wholes[0] else None
    found = _cause(court, around, wholes, printed)
    digits = digit_cause(printed, [value] if own is None else [value, own])
    if fidelity(printed, value):
        digits = f"{printed} tells no digit of it"
    cause, carried, rule = found or (digits, exactly(printed, FLOATS), line.rule)
    # Without a cause the mistake may be in any line that nothing was printed of.
    where = f"in the {rule}" if cause or len(around.path) == 1 else f"in the {rule} or on the way to it"
    told = f"{SLIP}, {where}: the value is {shown(value)}"
    if own is not None and shown(own) != shown(value):
        told += f", from its own printed inputs {shown(own)}"
    return f"{told}; {cause}" if cause else told, carried


def _cause(
    court: _Court, around: Around, wholes: Sequence[tuple[Stand, ...]], printed: str
) -> tuple[str, Value, str] | None:
    """The likeliest mistake that gives the printed number, the value it gives, and the rule of the line it is in.

    The line's own formula comes first, and before the printed inputs the true ones.
    """
    bases = list(dict.fromkeys(((), *wholes)))
    before = {base: _worked(court, around, base) for base in bases}
    effort = court.effort // len(around.path)
    for line in reversed(around.path):
        mistakes = list(itertools.islice(variants(line, court.lines, court.values), max(0, effort)))
        effort -= len(mistakes) * len(bases)
        for base in bases:
            found = []
            for phrase, formula in mistakes:
                value = _mistaken(court, around, base, line, formula)
                if value is not None and value != before[base] and _telling(printed, value):
                    found.append((phrase, value))
            if found:
                phrase, value = _plainest(found, before[base])
                place = "" if line is around.path[-1] else f" in {line.symbol.text}"
                return f"{printed} comes out{place} {phrase}", value, line.rule
    return None


def _telling(printed: str, value: Value) -> bool:
    """Whether a number says enough to be that value by no coincidence; a 0 never does."""
    return significant(printed) > 0 and bool(rendering(printed, value, TELLING))


def _plainest(found: Sequence[tuple[str, Value]], right: Value | None) -> tuple[str, Value]:
    """The first mistake; of several the first that turns the sign alone."""
    turned = [one for one in found if right is not None and math.isclose(one[1], -right)]
    return (turned or found)[0]


def _mistaken(
    court: _Court, around: Around, base: Sequence[Stand], line: TraceLine, formula: Expression
) -> Value | None:
    """The judged line's value where one line on the way to it is worked out by a mistaken formula."""
    at = around.path.index(line)
    changed: dict[str, Value] = {stand.key: stand.value for stand in base}
    values = ChainMap(changed, court.values)
    try:
        for own in around.path[:at]:
            if any(key in changed for key in own.inputs):
                changed[own.key] = settled(evaluate(own.formula, values), BITS)
        return _worked(court, around, base, {line.key: settled(evaluate(formula, values), BITS)})
    except (ArithmeticError, ValueError):
        return None
