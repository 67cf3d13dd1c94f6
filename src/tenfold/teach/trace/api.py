"""Worked back-propagation for Python: a network in, a checked and judged trace out."""

__all__ = ["trace", "traced"]

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tenfold.errors import UsageError, blamed
from tenfold.teach.trace.checking import check
from tenfold.teach.trace.court import judge
from tenfold.teach.trace.network import KEYS, network_of
from tenfold.teach.trace.record import Trace
from tenfold.teach.trace.specs import NetworkSource, entries_of, read_source
from tenfold.teach.trace.unrolling import unrolled

DEFAULT = "hand-worked"


def trace(
    spec: str | Path | Sequence[int] = "",
    *,
    activations: str | Sequence[str] | None = None,
    weights: Any = None,
    biases: Any = None,
    loss: str | None = None,
    learning_rate: float | str | None = None,
    samples: Any = None,
    batch: bool | None = None,
    updates: int | None = None,
    seed: int | None = None,
    digits: int | None = None,
    reported: str | Path | Mapping[str, Any] | Sequence[Any] | None = None,
) -> Trace:
    """Work a small network's training through, every line checked; the same as `tenfold trace`.

    spec: layer sizes ("1-1-1" or [1, 1, 1]), a TOML file, or a shipped example ("hand-worked"). weights, biases: one
    number, a list with an entry for each layer, or an initializer with seed and digits. samples: "1:3 2:4" or pairs of
    x and y. updates: how many, one for each sample if not given. reported: numbers to judge: a file, a mapping from
    keys such as "2.h1" to text, or "" for those of the spec's own file. Raises UsageError for what cannot be traced.

    >>> worked = trace("1-1", activations="identity", weights=2, biases=0, loss="squared_error",
    ...                learning_rate=0.1, samples="3:5", reported={"1.yhat": "6", "1.dw1": "1"})
    >>> [line.value for line in worked.lines][:2], [judgment.verdict for judgment in worked.judgments]
    ([Fraction(6, 1), Fraction(1, 2)], ['exact', 'slip here'])
    """
    given = (activations, weights, biases, loss, learning_rate, samples, batch, updates, seed, digits)
    named = dict(zip(tuple(KEYS)[1:], given, strict=True))
    return traced(spec, {name: value for name, value in named.items() if value is not None}, reported)


def traced(spec: str | Path | Sequence[int], choices: Mapping[str, Any], reported: Any = None) -> Trace:
    """Trace a spec, with choices in place of the file's own. reported: as of `trace`."""
    beside = read_source(str(reported)) if isinstance(reported, str | Path) and str(reported) else None
    source = _source(spec, beside)
    with blamed(source.where):
        network = network_of({**source.choices, **choices}, source.name)
    ledger = unrolled(network)
    said, in_file = beside or source, isinstance(reported, str | Path)
    if in_file and not said.reported:
        raise UsageError(f"{said.where or said.name}: holds no [[reported]] numbers to judge")
    with blamed(said.where if in_file else ""):
        entries = () if reported is None else entries_of(said.reported if in_file else reported, ledger)
    notes = (said.about,) if in_file and said.about else ()
    return Trace(network, ledger, check(network, ledger), judge(ledger, entries), notes, judged=reported is not None)


def _source(spec: str | Path | Sequence[int], beside: NetworkSource | None) -> NetworkSource:
    """Find where the network comes from; without a spec, from the file of reported numbers, if it holds one."""
    if isinstance(spec, Iterable) and not isinstance(spec, str | Path):
        return NetworkSource("network", {"sizes": list(spec)})
    if not isinstance(spec, str | Path):
        raise UsageError(f'a network is layer sizes such as "1-1-1" or [1, 1, 1], or a file, not {str(spec)[:40]!r}')
    if str(spec):
        return read_source(str(spec))
    return beside if beside and "sizes" in beside.choices else read_source(DEFAULT)
