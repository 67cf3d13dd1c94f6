"""Match the values that --shapes names with a function's arguments: by name where that fits, else in order."""

__all__ = ["Arguments", "binding"]

import inspect
from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter
from typing import Any

from tenfold.errors import UsageError, nearest
from tenfold.teach.doctor.declared import Declared

Arguments = Callable[[Mapping[str, Any]], tuple[list[Any], dict[str, Any]]]
"""Values by their given names -> positional arguments, and those by the function's own names."""


def binding(function: Callable[..., Any], where: str, declared: Declared) -> Arguments:
    """Return how to call a function; a UsageError where names and arguments do not fit.

    where: what the function is called in messages.
    """
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        parameters = inspect.signature(lambda *given: None).parameters
    ordered, named = _plan(parameters, where, declared)
    return lambda values: ([values[name] for name in ordered], {key: values[name] for key, name in named.items()})


def _plan(parameters: Mapping[str, Parameter], where: str, declared: Declared) -> tuple[list[str], dict[str, str]]:
    """Return the names of the values to hand over in order, and by the function's own names."""
    kinds = {name: parameter.kind for name, parameter in parameters.items()}
    several, anything = Parameter.VAR_POSITIONAL in kinds.values(), Parameter.VAR_KEYWORD in kinds.values()
    only = [name for name, kind in kinds.items() if kind is Parameter.KEYWORD_ONLY]
    places = [name for name, kind in kinds.items() if kind.name.startswith("POSITIONAL")]
    needed = [name for name in (*places, *only) if parameters[name].default is Parameter.empty]
    taken = {key: name for key in (*places, *only) if (name := _same_name(key, declared.order))}
    loose = [name for name in declared.order if name not in taken.values()]
    numbers = {name: name for name in loose if name in declared.constants}
    arrays = [name for name in loose if name not in numbers]
    if numbers and not anything:
        first = next(iter(numbers))
        raise UsageError(f"{where} takes no {first!r}: {nearest(first, parameters)}")
    for key in places:
        if key not in taken and arrays and (key in needed or not several):
            taken[key] = arrays.pop(0)
    lacking = [key for key in needed if key not in taken]
    if lacking or (arrays and not several):
        raise UsageError(_mismatch(parameters, where, declared, lacking, arrays))
    ahead = [key for key in places if key in taken and (several or kinds[key] is Parameter.POSITIONAL_ONLY)]
    by_name = {key: name for key, name in taken.items() if key not in ahead}
    return [*(taken[key] for key in ahead), *arrays], by_name | numbers


def _same_name(argument: str, given: Sequence[str]) -> str:
    """Return the given name that means an argument: the same, or the only one that differs in case alone."""
    if argument in given:
        return argument
    alike = [name for name in given if name.lower() == argument.lower()]
    return alike[0] if len(alike) == 1 else ""


def _mismatch(
    parameters: Mapping[str, Parameter], where: str, declared: Declared, lacking: Sequence[str], left: Sequence[str]
) -> str:
    takes = f"{where} takes ({', '.join(parameters)})"
    if not lacking:
        return f"{takes}, --shapes gives {', '.join(declared.order)}: {left[0]!r} is too many"
    name = lacking[0]
    return f"{takes}: give {name!r} in --shapes, as sizes ({name}=4x10) or as a number ({name}=0.1)"
