"""The network, the loss and the samples of a trace; read strictly, with the key or option that is amiss by name."""

__all__ = ["ACTIVATIONS", "KEYS", "LOSSES", "REGRESSIONS", "Network", "Sample", "choices_of", "counted", "network_of"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from tenfold.errors import UsageError, blamed, nearest
from tenfold.report.printed import exactly
from tenfold.rooms import find, names
from tenfold.seeds import generator

Row = tuple[Fraction, ...]
Matrix = tuple[Row, ...]

ACTIVATIONS = ("identity", "leaky_relu", "relu", "sigmoid", "tanh")
REGRESSIONS = ("mean_squared_error", "squared_error")
LOSSES = ("hinge", *REGRESSIONS, "sigmoid", "softmax", "weston_watkins")
KEYS = {  # each with what to give where it is missing; what has no such words may be
    "sizes": "the sizes of the layers, the input's first, such as 1-1-1",
    "activations": "one for each layer after the input, such as relu,identity",
    "weights": "one number for all, such as 0.5, numbers for each layer, or an initializer such as he",
    "biases": "one number for all, such as 0.5, or numbers for each layer",
    "loss": "a word such as squared_error or softmax",
    "learning_rate": "a number such as 0.01",
    "samples": "x and y of each, such as 1:3 2:4",
    **dict.fromkeys(("batch", "updates", "seed", "digits"), ""),
}
NEEDED = tuple(key for key, example in KEYS.items() if example)
FILED = ("sizes", "activations", "weights", "biases", "loss", "learning_rate", "batch", "updates")
UNITS, DEPTH, SAMPLES, UPDATES, DIGITS = 64, 8, 1000, 1000, 6
BITS = 200  # a larger whole number is a slip of the keyboard


class Sample(NamedTuple):
    """One example. y: (D,) targets, empty where there is a label instead."""

    x: Row
    y: Row
    label: int | None


@dataclass(frozen=True)
class Network:
    """Sizes of its layers, the input's first; for each layer of weights an activation, (O, I) weights, (O,) biases.

    batch: every update is the mean over all samples, else over one, in their order, from the first again after the
    last. updates: how many. notes: what was drawn or rounded.
    """

    name: str
    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    weights: tuple[Matrix, ...]
    biases: tuple[Row, ...]
    loss: str
    learning_rate: Fraction
    samples: tuple[Sample, ...]
    batch: bool
    updates: int
    notes: tuple[str, ...] = ()

    @property
    def depth(self) -> int:
        """Return the number of its layers of weights, which is that of its last layer."""
        return len(self.activations)

    @property
    def regresses(self) -> bool:
        """Return whether targets are numbers, not labels."""
        return self.loss in REGRESSIONS


def network_of(choices: Mapping[str, Any], name: str) -> Network:
    """Make the network that a file's keys or an option's words describe. Raises UsageError that names the key."""
    for key in choices:
        if key not in KEYS:
            raise UsageError(f"unknown key {key!r}: {nearest(key, KEYS)}")
    given = {key: _listed(value) for key, value in choices.items() if value is not None}
    sizes = _sizes(given.get("sizes", []))
    for key in NEEDED:
        drawn = key == "biases" and given.get("weights") in names("initializers")
        if key not in given and not drawn:
            raise UsageError(f"{key} is missing: give {KEYS[key]}")
    activations, loss = _activations(given["activations"], len(sizes) - 1), _word("loss", given["loss"], LOSSES)
    weights, biases, notes = _parameters(given, sizes)
    samples = _samples(given["samples"], sizes[0], sizes[-1], loss)
    batch = given.get("batch", False)
    if not isinstance(batch, bool):
        raise UsageError(f"batch is {batch!r}: expected true or false")
    updates = counted(given.get("updates", 1 if batch else len(samples)), "updates", 1, UPDATES)
    rate = _number(given["learning_rate"], "learning_rate")
    if rate <= 0:
        raise UsageError(f"learning_rate is {given['learning_rate']}: expected a number above 0, such as 0.01")
    return Network(name, sizes, activations, weights, biases, loss, rate, samples, batch, updates, notes)


def choices_of(network: Network, digits: Callable[[Fraction], str]) -> dict[str, Any]:
    """Return the keys of a network's file, its numbers as `digits` writes them."""

    def written(part: Any) -> Any:
        if isinstance(part, tuple):
            return [written(cell) for cell in part]
        return digits(part) if isinstance(part, Fraction) else part

    samples = [{"x": written(x), "y": written(y if label is None else label)} for x, y, label in network.samples]
    return {key: written(getattr(network, key)) for key in FILED} | {"samples": samples}


def _sizes(given: Any) -> tuple[int, ...]:
    parts = given.split("-") if isinstance(given, str) else given
    if not isinstance(parts, list) or not 2 <= len(parts) <= DEPTH + 1:
        raise UsageError(f"sizes: expected 2 to {DEPTH + 1} layer sizes, the input's first, such as 1-1-1")
    sizes = tuple(counted(part, "sizes: a layer", 1, UNITS) for part in parts)
    if sum(sizes) > UNITS:
        raise UsageError(f"sizes: {sum(sizes)} units; a trace that one can read has at most {UNITS}")
    return sizes


def _word(key: str, given: Any, words: tuple[str, ...]) -> str:
    if not isinstance(given, str) or given not in words:
        raise UsageError(f"{key} {str(given)[:40]!r}: {nearest(str(given)[:40], words)}")
    return given


def _activations(given: Any, count: int) -> tuple[str, ...]:
    words = given.split(",") if isinstance(given, str) else given
    if not isinstance(words, list) or len(words) != count:
        amount = len(words) if isinstance(words, list) else "no list"
        expected = f"expected {count}, one for each layer after the input, the output's too"
        raise UsageError(f"activations: {amount} given; {expected}")
    return tuple(_word("activations", word.strip() if isinstance(word, str) else word, ACTIVATIONS) for word in words)


def _parameters(given: Mapping[str, Any], sizes: tuple[int, ...]) -> tuple[tuple[Matrix, ...], tuple[Row, ...], Any]:
    shapes = list(zip(sizes[1:], sizes[:-1], strict=True))
    layers, notes = {}, []
    seed = counted(given.get("seed", 0), "seed", 0, 2**32)
    digits = counted(given.get("digits", 2), "digits", 1, DIGITS)
    for key, default in (("weights", None), ("biases", "0")):
        value = given.get(key, default)
        if isinstance(value, str):
            value = _layers_of(value)
        if isinstance(value, str) and (value in names("initializers") or value[1:].isalpha()):
            value, note = _initialized(key, value, shapes, seed, digits)
            notes.append(note)
        if isinstance(value, list) and len(value) != len(shapes):
            given_layers = f"numbers for {len(value)} layer{'s' * (len(value) != 1)} given"
            raise UsageError(f"{key}: {given_layers}; the sizes {'-'.join(map(str, sizes))} have {len(shapes)}")
        layers[key] = value if isinstance(value, list) else [value] * len(shapes)
    sized = [(k, outputs, inputs) for k, (outputs, inputs) in enumerate(shapes, 1)]
    weights = tuple(_fill_matrix(layers["weights"][k - 1], o, i, f"weights of layer {k}") for k, o, i in sized)
    biases = tuple(_fill_vector(layers["biases"][k - 1], o, f"biases of layer {k}") for k, o, _ in sized)
    return weights, biases, tuple(notes)


def _initialized(key: str, word: str, shapes: list[tuple[int, int]], seed: int, digits: int) -> tuple[list[Any], str]:
    """Return a draw of every layer, rounded so that it can be worked by hand, and the sentence that says so."""
    if word not in names("initializers"):
        close = nearest(word, names("initializers"))
        raise UsageError(f"{key} {word[:40]!r} is neither a number nor an initializer: {close}")
    layers: list[Any] = []
    for k, (outputs, inputs) in enumerate(shapes, 1):
        columns = inputs if key == "weights" else 1
        drawn = find("initializers", word)(generator(seed, "trace", key, k), outputs, columns)
        rows = [[f"{cell:.{digits}f}" for cell in row] for row in np.asarray(drawn)]
        layers.append(rows if key == "weights" else [row[0] for row in rows])
    rounded = f"rounded to {digits} digit{'s' * (digits > 1)}"
    return layers, f"{key} drawn by {word} with seed {seed}, {rounded} so that they can be worked by hand"


def _samples(given: Any, inputs: int, outputs: int, loss: str) -> tuple[Sample, ...]:
    rows = _pairs(given) if isinstance(given, str) else given
    if not isinstance(rows, list) or not rows:
        raise UsageError('samples: none given; expected such as "1:3 2:4", or a list of tables with x and y')
    if len(rows) > SAMPLES:
        raise UsageError(f"samples: {len(rows):,} given; at most {SAMPLES:,} can be traced")
    return tuple(_sample(row, k, inputs, outputs, loss) for k, row in enumerate(rows, 1))


def _sample(row: Any, k: int, inputs: int, outputs: int, loss: str) -> Sample:
    if isinstance(row, list) and len(row) == 2:
        row = {"x": row[0], "y": row[1]}
    if not isinstance(row, dict) or set(row) != {"x", "y"}:
        keys = ", ".join(map(str, row)) if isinstance(row, dict) else repr(row)[:40]
        raise UsageError(f"samples: sample {k} has {keys[:60]}; expected x and y")
    x = _cells(row["x"], inputs, f"x of sample {k}")
    if loss in REGRESSIONS:
        return Sample(x, _cells(row["y"], outputs, f"y of sample {k}"), None)
    return Sample(x, (), _label(row["y"], outputs, k, loss))


def _cells(given: Any, width: int, where: str, why: str = "where the network has {}") -> Row:
    cells = given if isinstance(given, list) else [given]
    if len(cells) != width:
        raise UsageError(f"{where}: {len(cells)} number{'s' * (len(cells) != 1)} {why.format(width)}")
    return tuple(_number(cell, where) for cell in cells)


def _label(given: Any, outputs: int, k: int, loss: str) -> int:
    """Return the class, counted from 0; with one sigmoid output 1 for yes and 0 for no."""
    cell = given[0] if isinstance(given, list) and len(given) == 1 else given
    if outputs == 1 and loss != "sigmoid":
        raise UsageError(f"loss {loss!r} compares scores: it needs 2 outputs at least, the sizes end with 1")
    return counted(cell, f"y of sample {k}, a label,", 0, max(outputs - 1, 1))


def _number(cell: object, where: str) -> Fraction:
    """Return the number that is written in a cell. where: named in the UsageError that anything else raises.

    >>> _number("0.10", "weights"), _number(0.1, "weights")
    (Fraction(1, 10), Fraction(1, 10))
    """
    if isinstance(cell, bool) or not isinstance(cell, str | int | float | Decimal | Fraction):
        raise UsageError(f"{where}: {_quoted(cell)} is not a number; expected one such as 0.5, -2 or 1/3")
    if isinstance(cell, int) and cell.bit_length() > BITS:
        raise UsageError(f"{where}: a whole number of {cell.bit_length()} bits is too large")
    with blamed(where):
        return exactly(str(cell))


def counted(cell: object, where: str, least: int, most: int) -> int:
    """Return a whole number from least to most."""
    value = _number(cell, where)
    if value.denominator != 1 or not least <= value <= most:
        raise UsageError(f"{where} is {_quoted(cell)}: expected a whole number from {least} to {most:,}")
    return int(value)


def _listed(value: Any) -> Any:
    if hasattr(value, "tolist"):
        value = value.tolist()
    return [_listed(part) for part in value] if isinstance(value, list | tuple) else value


def _layers_of(text: str) -> Any:
    """Read an option's numbers: a space between layers, a semicolon between rows, a comma between cells.

    >>> _layers_of("0.5"), _layers_of("1,2;3,4 5,6")
    ('0.5', [[['1', '2'], ['3', '4']], [['5', '6']]])
    """
    layers = [[row.split(",") for row in layer.split(";")] for layer in text.split()]
    alone = layers in ([], [[[text.strip()]]])
    return text.strip() if alone else [layer[0][0] if layer == [[layer[0][0]]] else layer for layer in layers]


def _pairs(text: str) -> list[dict[str, Any]]:
    """Read an option's samples: a space between them, a colon between x and y, a comma between cells.

    >>> _pairs("1:3 2,0.5:4")
    [{'x': ['1'], 'y': ['3']}, {'x': ['2', '0.5'], 'y': ['4']}]
    """
    samples = []
    for k, sample in enumerate(text.split(), 1):
        x, _, y = sample.partition(":")
        if not (x and y):
            raise UsageError(f'samples: {sample[:40]!r}, sample {k}, is not x:y; expected such as "1:3 2:4"')
        samples.append({"x": x.split(","), "y": y.split(",")})
    return samples


def _fill_matrix(given: Any, outputs: int, inputs: int, where: str) -> tuple[Row, ...]:
    """Return weights (O, I): rows of numbers, one number for all, or a plain list where O or I is 1."""
    if not isinstance(given, list):
        return ((_number(given, where),) * inputs,) * outputs
    if 1 in (outputs, inputs) and given and not any(isinstance(row, list) for row in given):
        given = [given] if outputs == 1 else [[cell] for cell in given]
    if len(given) != outputs or not all(isinstance(row, list) and len(row) == inputs for row in given):
        widths = sorted({len(row) if isinstance(row, list) else 1 for row in given})
        rows = f"{len(given)} row{'s' * (len(given) != 1)} of {' and '.join(map(str, widths)) or 'no'} numbers"
        units = f"{outputs} unit{'s' * (outputs > 1)} with {inputs} input{'s' * (inputs > 1)}"
        numbers = f"take{'s' * (outputs == 1)} {outputs} × {inputs} numbers, a row for each unit"
        raise UsageError(f"{where}: {rows}; {units} {numbers}")
    return tuple(tuple(_number(cell, f"{where}, row {i}") for cell in row) for i, row in enumerate(given, 1))


def _fill_vector(given: Any, width: int, where: str) -> Row:
    """Return a number for each of `width` units, or one for all."""
    if not isinstance(given, list):
        return (_number(given, where),) * width
    if len(given) == 1 and isinstance(given[0], list):
        given = given[0]
    return _cells(given, width, where, f"for {width} unit{'s' * (width > 1)}")


def _quoted(cell: object) -> str:
    text = repr(cell)
    return text if len(text) <= 40 else f"{text[:36]} …"
