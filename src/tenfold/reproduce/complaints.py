"""The first fault that keeps a file from being a table, as one plain line that names the file's key."""

__all__ = ["complaint"]

import difflib
from collections.abc import Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from tenfold.errors import nearest

Place = Sequence[int | str]


def complaint(error: ValidationError, kind: type[BaseModel], given: Any) -> str:
    """Say the first complaint of pydantic. kind: the model that the file is read as; given: the content of the file."""
    errors = error.errors()
    first = errors[0]
    if first["type"] == "missing":
        # A key that is missing is more often mistyped: then it stands there under another name.
        first = next((other for other in errors if _mistyped(other["loc"], other["type"], first["loc"])), first)
    place = [*_present(first["loc"], given)]
    where = ".".join(place)
    if first["type"] == "extra_forbidden":
        return f"unknown key {where!r}: {nearest(str(first['loc'][-1]), _model(kind, first['loc'][:-1]).model_fields)}"
    if first["type"] == "missing":
        return f"{'.'.join([*place, str(first['loc'][-1])])} is missing"
    if first["type"] == "value_error":
        return f"{where}: {first['ctx']['error']}" if where else str(first["ctx"]["error"])
    # Where several kinds of values would do, each has its own complaint.
    return f"{where}: {'; '.join(other['msg'] for other in errors if [*_present(other['loc'], given)] == place)}"


def _mistyped(place: Place, fault: str, missing: Place) -> bool:
    """Test whether an unknown key stands in for a missing one."""
    alike = difflib.get_close_matches(str(place[-1]), [str(missing[-1])], cutoff=0.5) if place else []
    return fault == "extra_forbidden" and place[:-1] == missing[:-1] and bool(alike)


def _present(place: Place, given: Any) -> Iterator[str]:
    """Yield the keys of a place as far as the file has them: pydantic adds words of its own."""
    for step in place:
        inside = isinstance(given, dict) and step in given
        if not inside and not (isinstance(given, list) and isinstance(step, int)):
            return
        given = given[step]
        yield str(step) if str(step).isprintable() else repr(step)


def _model(kind: type[BaseModel], place: Place) -> type[BaseModel]:
    """Return the model at a place of a table."""
    for step in place:
        field = kind.model_fields.get(str(step))
        kind = next(_models(field.annotation), kind) if field else kind
    return kind


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
