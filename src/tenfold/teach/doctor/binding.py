"""How the values that --shapes names become a function's arguments: by its own names where they fit, else in order."""

__all__ = ["Arguments", "binding"]

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tenfold.errors import UsageError, nearest
from tenfold.teach.doctor.declared import Declared

Arguments = Callable[[Mapping[str, Any]], tuple[list[Any], dict[str, Any]]]
"""Values by their given names -> positional arguments, and those by the function's own names."""


def binding(function: Callable[..., Any], where: str, declared: Declared) -> Arguments:
    """How to call it; a UsageError where the names and the function's arguments do not fit.

    where: what the function is called in messages.
    """
    try:
        known = inspect.signature(function).parameters
    except (TypeError, ValueError):
        known = inspect.signature(lambda *given: None).parameters
    plan = _plan(known, where, declared)

    def arguments(values: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        positional = [values[name] for name in plan[0]]
        return positional, {own: values[name] for own, name in plan[1].items()}

    return arguments


def _plan(known: Mapping[str, inspect.Parameter], where: str, declared: Declared) -> tuple[list[str], dict[str, str]]:
    """Names of the values to hand over in order, and by the function's own names."""
    kinds = inspect.Parameter
    places = [p.name for p in known.values() if p.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)]
    only = [p.name for p in known.values() if p.kind is kinds.KEYWORD_ONLY]
    taken = {own: name for own in (*places, *only) if (name := _same_name(own, declared.order))}
    loose = [name for name in declared.order if name not in taken.values()]
    several = any(p.kind is kinds.VAR_POSITIONAL for p in known.values())
    anything = any(p.kind is kinds.VAR_KEYWORD for p in known.values())
    numbers = [name for name in loose if name in declared.constants]
    if numbers and not anything:
        raise UsageError(f"{where} takes no {numbers[0]!r}: {nearest(numbers[0], known)}")
    arrays = [name for name in loose if name not in numbers]
    for own in places:
        if own not in taken and arrays and (known[own].default is kinds.empty or not several):
            taken[own] = arrays.pop(0)
    lacking = [own for own in (*places, *only) if own not in taken and known[own].default is kinds.empty]
    if lacking or (arrays and not several):
        raise UsageError(_mismatch(known, where, declared, lacking, arrays))
    if several:
        filled = [own for own in places if own in taken]
        rest = {own: taken[own] for own in only if own in taken}
        return [*(taken[own] for own in filled), *arrays], {**rest, **{name: name for name in numbers}}
    ahead = [own for own in places if known[own].kind is kinds.POSITIONAL_ONLY and own in taken]
    by_name = {own: name for own, name in taken.items() if own not in ahead}
    return [taken[own] for own in ahead], {**by_name, **{name: name for name in numbers}}


def _same_name(own: str, given: Sequence[str]) -> str:
    """The given name that means an argument: the same, or the only one that differs in case alone."""
    if own in given:
        return own
    alike = [name for name in given if name.lower() == own.lower()]
    return alike[0] if len(alike) == 1 else ""


def _mismatch(
    known: Mapping[str, inspect.Parameter], where: str, declared: Declared, lacking: Sequence[str], left: Sequence[str]
) -> str:
    takes = f"{where} takes ({', '.join(known)})"
    if lacking:
        return (
            f"{takes}: give {lacking[0]!r} in --shapes, as sizes ({lacking[0]}=4x10) or as a number ({lacking[0]}=0.1)"
        )
    return f"{takes}, --shapes gives {', '.join(declared.order)}: {left[0]!r} is too many"
