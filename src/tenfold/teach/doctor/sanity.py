"""A model on data before it is trained in earnest: five things that go wrong, each measured.

initial loss     near what guessing costs, ln C for softmax; first scores that spread by σ add about σ²/2
few images       50 are learned by heart: where that fails, something is wrong, be it the step size alone
gradient flow    rms of ∂L/∂z of the first layer over that of the last: it neither vanishes nor explodes on its way
dead units       a rectifier that is positive for none of 500 images has no gradient, and stays so
update ratio     ‖Δw‖ / ‖w‖ of a step, about 1e-3: with less it learns slowly, with more it jumps about
"""

__all__ = ["Finding", "sanity"]

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import Tensor

from tenfold.data.load import load
from tenfold.data.types import Dataset
from tenfold.recipe import Recipe
from tenfold.teach.doctor.observing import Seen, Stepped, Trial, learned, seen, stepped, trial

IMAGES, FEW, LONGEST, STEPS, SKIPPED = 500, 50, 1000, 60, 10
KNOWN = 0.1
"""Share of the loss of guessing below which images are learned by heart."""

VANISHED, EXPLODED = 1e-3, 1e3
WIDE = 3.0
"""Standard deviation of first scores beyond which they are sure of what they cannot know."""

DEAD, SATURATED = 0.25, 0.5
SLOW, FAST = -5.0, -1.3
"""Powers of ten of ‖Δw‖ / ‖w‖ beyond which a layer's median step is worth a look."""

SATURATES = {"sigmoid": (0.01, 0.99), "tanh": (-0.98, 0.98)}
"""Outputs beyond which an activation's slope is a twenty-fifth of its largest."""


class Finding(NamedTuple):
    """One check. ok: False where it is worth a look. measured, expected: in words; numbers: for machines."""

    name: str
    ok: bool
    measured: str
    expected: str
    numbers: dict[str, Any]


def sanity(recipe: Recipe, data_dir: str = "", dataset: Dataset | None = None) -> list[Finding]:
    """What a single model shows on its data, in the order of the header.

    recipe: model, data, loss, initializer, learning rate … as for training. dataset: the recipe's, where it is loaded.
    """
    dataset = dataset or load(recipe.data, data_dir=data_dir, size=recipe.size)
    tried = trial(recipe, dataset, IMAGES)
    first = seen(tried, tried.params)
    after = stepped(tried, STEPS, SKIPPED)
    return [
        _initial_loss(tried, first),
        _by_heart(tried),
        _flow(first),
        *_units(tried, first, after),
        _update_ratio(after),
    ]


def _initial_loss(tried: Trial, first: Seen) -> Finding:
    spread, softmax = float(first.scores.std(-1).mean()), tried.recipe.loss == "softmax"
    named = f"ln {first.scores.shape[-1]} = {first.guessing:.3f}" if softmax else f"{first.guessing:.3f}"
    expected = f"near {named}, which guessing costs"
    if first.uninformed > 1.01 * first.guessing:
        expected += f"; first scores that spread by {spread:.2g} make it {first.uninformed:.3g}, whatever the label"
    ok = spread <= WIDE
    if not ok:
        expected += ": the first weights are too large"
    numbers = {"loss": first.loss, "guessing": first.guessing, "uninformed": first.uninformed, "spread": spread}
    return Finding("initial loss", ok, f"{first.loss:.3f}", expected, _finite(numbers))


def _by_heart(tried: Trial) -> Finding:
    found = learned(tried, FEW, LONGEST, KNOWN)
    ok = not found.failed and found.step < LONGEST
    told = f"{found.right} of {found.images} right, loss {found.loss:.2g} after {found.step:,} steps"
    expected = f"all right and a loss near 0 within {LONGEST:,} steps"
    if found.failed:
        told, expected = f"not finite in step {found.step}", f"{expected}: is the learning rate too large?"
    elif not ok:
        expected += ": is the learning rate too small, or too large, or does a gradient not arrive?"
    return Finding("few images", ok, told, expected, {**found._asdict(), **_finite({"loss": found.loss})})


def _flow(first: Seen) -> Finding:
    """Layers by name, first to last."""
    names, values = list(first.flow), list(first.flow.values())
    told = ", ".join(f"{name} {value:.2g}" for name, value in first.flow.items())
    ratio = values[0] / values[-1] if values[-1] else math.nan
    numbers = {"rms": _finite(first.flow), **_finite({"ratio": ratio})}
    if not all(map(math.isfinite, values)):
        return Finding("gradient flow", False, told, "finite: the scores overflow", numbers)
    if not all(values):
        stuck = next(name for name, value in reversed(first.flow.items()) if not value)
        why = f"some gradient everywhere: none reaches {stuck}; are the weights behind it all zero?"
        return Finding("gradient flow", False, told, why, numbers)
    if len(names) == 1:
        return Finding(
            "gradient flow", True, told, "more than 0; with one layer there is no way to lose it on", numbers
        )
    ok = VANISHED <= ratio <= EXPLODED
    expected = f"first over last between {VANISHED:g} and {EXPLODED:g}, found {ratio:.2g}"
    if not ok:
        expected += ": it vanishes on its way back" if ratio < VANISHED else ": it explodes on its way back"
    return Finding("gradient flow", ok, told, expected, numbers)


def _units(tried: Trial, first: Seen, after: Stepped) -> list[Finding]:
    """Hidden units that have next to no slope; [] where there are none, or none that can lose it."""
    word = tried.recipe.activation
    if not first.outputs or word not in ("relu", *SATURATES):
        return []
    later = seen(tried, after.params).outputs
    shares = {name: (_stuck(word, h), _stuck(word, later[name])) for name, h in first.outputs.items()}
    told = ", ".join(f"{name} {100 * at:.0f} % → {100 * then:.0f} %" for name, (at, then) in shares.items())
    most, bound = max(max(pair) for pair in shares.values()), DEAD if word == "relu" else SATURATED
    ok = most <= bound
    numbers = {"share": {name: list(pair) for name, pair in shares.items()}}
    if word == "relu":
        expected = (
            f"below {100 * bound:.0f} % positive for none of {len(tried.rows)} images, at first → after {STEPS} steps"
        )
    else:
        expected = f"below {100 * bound:.0f} % of outputs at either end, at first → after {STEPS} steps"
    if not ok:
        expected += ": they learn nothing more; try a smaller learning rate, or another initializer"
    return [Finding("dead units" if word == "relu" else "saturated units", ok, told, expected, numbers)]


def _stuck(word: str, h: Tensor) -> float:
    """Share of units that are never positive, or of outputs (B, H) at either end."""
    if word == "relu":
        return float((h <= 0).all(0).float().mean())
    low, high = SATURATES[word]
    return float(((h < low) | (h > high)).float().mean())


def _update_ratio(after: Stepped) -> Finding:
    logs = {name: math.log10(ratio) if ratio > 0 else -math.inf for name, ratio in after.ratios.items()}
    told = ", ".join(f"{name} {log:.1f}" if math.isfinite(log) else f"{name} not at all" for name, log in logs.items())
    expected = "about −3 in powers of ten: a step moves the weights by a thousandth of their size"
    numbers = {"log10": _finite(logs), "failed": after.failed}
    if after.failed:
        expected = f"{expected}: is the learning rate too large?"
        return Finding("update ratio", False, f"not finite in step {after.failed}", expected, numbers)
    low, high = min(logs.values()), max(logs.values())
    if low < SLOW:
        expected += ": no gradient arrives" if low == -math.inf else ": it hardly moves; try a larger learning rate"
    elif high > FAST:
        expected += ": steps are large for the weights; try a smaller learning rate"
    return Finding("update ratio", low >= SLOW and high <= FAST, told.replace("-", "−"), expected, numbers)


def _finite(numbers: Mapping[str, float]) -> dict[str, float | None]:
    """None for what JSON does not have."""
    return {name: number if math.isfinite(number) else None for name, number in numbers.items()}
