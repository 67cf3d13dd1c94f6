"""Axes as Optuna's parameters and members as its trials (Akiba et al. 2019); the one place that imports it.

An axis of values is one categorical parameter, an axis that is one range a number. A mixed axis is a categorical
"l2 piece" and, where that chose a range, the number "l2".
"""

__all__ = ["decoded", "encoded", "graded", "parameters", "quiet", "required", "suggest", "worths"]

import importlib
import importlib.util
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tenfold.errors import UsageError
from tenfold.recipe import Settings
from tenfold.search.axes import Axis, Range, fitting_piece, text

PACKAGES: dict[str, Any] = {
    name: importlib.import_module(name) if importlib.util.find_spec(name) else None for name in ("optuna", "cmaes")
}


def required(name: str = "optuna") -> Any:
    """Return the package optuna, or cmaes; a UsageError that says how to install it where it is absent."""
    if PACKAGES[name] is None:
        raise UsageError(f"the samplers tpe and cma_es need {name}: run `pip install 'tenfold[sweep]'`")
    return PACKAGES[name]


@contextmanager
def quiet() -> Iterator[Any]:
    """Yield the package optuna, which logs nothing meanwhile."""
    optuna = required()
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield optuna
    finally:
        optuna.logging.set_verbosity(before)


def parameters(axis: Axis) -> dict[str, Any]:
    """Return distributions by name: of the choice between an axis' pieces, where it has one, and of its ranges."""
    distributions = {}
    if len(axis.pieces) > 1 or not _ranges(axis):
        distributions[_choice(axis)] = required().distributions.CategoricalDistribution(_words(axis))
    return distributions | {_number(axis, span): _distribution(span) for span in _ranges(axis)}


def encoded(axes: Sequence[Axis], settings: Settings) -> dict[str, Any] | None:
    """Return parameters for the settings, None where the axes do not hold them. Fields that are missing stay so."""
    params: dict[str, Any] = {}
    for axis in axes:
        if axis.name not in settings:
            continue
        value = tuple(settings[axis.name]) if isinstance(settings[axis.name], list) else settings[axis.name]
        piece = fitting_piece(axis, value)
        if piece is None:
            return None
        if _choice(axis) in parameters(axis):
            params[_choice(axis)] = _words(axis)[axis.pieces.index(piece)]
        if isinstance(piece, Range):
            params[_number(axis, piece)] = value
    return params


def decoded(axes: Sequence[Axis], take: Callable[[str, Any], Any]) -> Settings:
    """Build settings from parameters. take(name, distribution): the value of one; asked only where needed."""
    settings = {}
    for axis in axes:
        distributions, piece = parameters(axis), axis.pieces[0]
        if _choice(axis) in distributions:
            piece = axis.pieces[_words(axis).index(take(_choice(axis), distributions[_choice(axis)]))]
        if isinstance(piece, Range):
            number = take(_number(axis, piece), distributions[_number(axis, piece)])
            piece = type(piece.low)(min(max(number, piece.low), piece.high))
        settings[axis.name] = piece
    return settings


def suggest(trial: Any, name: str, distribution: Any) -> Any:
    """Return the value that a trial chooses for one parameter."""
    if hasattr(distribution, "choices"):
        return trial.suggest_categorical(name, distribution.choices)
    whole = isinstance(distribution, required().distributions.IntDistribution)
    draw = trial.suggest_int if whole else trial.suggest_float
    return draw(name, distribution.low, distribution.high, log=distribution.log)


def graded(axes: Sequence[Axis], scored: Sequence[tuple[Settings, float | None]]) -> list[tuple[Settings, float]]:
    """Return parameters and score (`worths`) of the members that the axes hold."""
    pairs = [(encoded(axes, settings), score) for (settings, _), score in zip(scored, worths(scored), strict=True)]
    return [(params, score) for params, score in pairs if params is not None]


def worths(scored: Sequence[tuple[Settings, float | None]]) -> list[float]:
    """Return scores of members, in their order; one that failed is below the worst that did not.

    >>> worths([({}, 0.5), ({}, None), ({}, 0.25)])
    [0.5, -0.75, 0.25]
    """
    scores = [score if score is not None and math.isfinite(score) else None for _, score in scored]
    worst = min((score for score in scores if score is not None), default=0.0) - 1.0
    return [worst if score is None else score for score in scores]


def _ranges(axis: Axis) -> list[Range]:
    return [piece for piece in axis.pieces if isinstance(piece, Range)]


def _choice(axis: Axis) -> str:
    return f"{axis.name} piece" if _ranges(axis) else axis.name


def _number(axis: Axis, span: Range) -> str:
    return axis.name if len(_ranges(axis)) == 1 else f"{axis.name} {text(Axis(axis.name, (span,)))}"


def _words(axis: Axis) -> list[Any]:
    """Return what Optuna stores for the pieces: values of a list as they are where it can, else their text."""
    if _ranges(axis) or axis.name == "hidden":
        return [text(Axis(axis.name, (piece,))) for piece in axis.pieces]
    return list(axis.pieces)


def _distribution(span: Range) -> Any:
    kinds, log = required().distributions, span.scale == "log"
    if span.scale == "int" or isinstance(span.low, int):
        return kinds.IntDistribution(int(span.low), int(span.high), log=log)
    return kinds.FloatDistribution(span.low, span.high, log=log)
