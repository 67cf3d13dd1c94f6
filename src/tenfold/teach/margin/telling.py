"""What was found about a margin in plain values, as `--json` prints them: floats, and fractions as texts."""

__all__ = ["given_plain", "soft_plain", "solution_plain"]

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tenfold.teach.margin.types import Inseparable, Judged, Number, Separated, Soft


def solution_plain(solution: Separated | Inseparable) -> dict[str, Any]:
    """The largest margin with its proof, or the certificate that there is none."""
    if isinstance(solution, Inseparable):
        return {"separable": False, "certificate": _certificate(solution)}
    found = solution._asdict()
    found |= {name: found[name].tolist() for name in ("w", "multipliers")} | {"support": list(solution.support)}
    exact = {name: _text(value) for name, value in solution.exact._asdict().items()} if solution.exact else None
    return {"separable": True, **found, "residuals": solution.residuals._asdict(), "exact": exact}


def given_plain(judged: Judged) -> dict[str, Any]:
    """What a given line is worth."""
    found = {name: _number(value) for name, value in judged._asdict().items() if name not in ("exact", "multipliers")}
    return {**found, "multipliers": judged.multipliers.tolist(), "exact": judged.exact}


def soft_plain(soft: Soft) -> dict[str, Any]:
    """The soft margin and what it costs."""
    return {
        name: value.tolist() if hasattr(value, "tolist") else _number(value) for name, value in soft._asdict().items()
    }


def _certificate(found: Inseparable) -> dict[str, Any]:
    weigh = {name: _weights(getattr(found, name), found.exact) for name in ("first", "second")}
    meeting = _text(found.meeting) if found.exact else _number(found.meeting)
    rest = {name: getattr(found, name) for name in ("residual", "scale", "exact", "minimal", "at_least")}
    return {**weigh, "meeting": meeting, **rest, "removal": list(found.removal)}


def _weights(weights: Mapping[int, Number], exact: bool) -> dict[str, str | float]:
    return {str(k): str(value) if exact else float(value) for k, value in weights.items()}


def _text(value: Number | Sequence[Number]) -> Any:
    return [str(number) for number in value] if isinstance(value, tuple) else str(value)


def _number(value: Any) -> Any:
    """Fractions as floats; what is not finite as None, for JSON has no word for it."""
    if isinstance(value, tuple):
        return [_number(number) for number in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    return float(value) if math.isfinite(value) else None
