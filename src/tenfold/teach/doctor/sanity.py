"""A model on data before it is trained in earnest: five things that go wrong, each measured.

initial loss     near what guessing costs, ln C for softmax; first scores that spread by σ add about σ²/2
few images       50 are learned by heart: where that fails, something is wrong, be it the step size alone
gradient flow    rms of ∂L/∂z of the first layer over that of the last: it neither vanishes nor explodes on its way
dead units       a rectifier that is positive for none of 500 images has no gradient, and stays so
update ratio     ‖Δw‖ / ‖w‖ of a step, about 1e-3: with less it learns slowly, with more it jumps about
"""

__all__ = ["SanityCheck", "finite", "sanity"]

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import Tensor

from tenfold.data.load import load
from tenfold.data.types import Dataset
from tenfold.recipe import Recipe
from tenfold.teach.doctor.observing import Observed, Stepped, Untrained, learned, observed, stepped, untrained

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


class SanityCheck(NamedTuple):
    """One check. ok: False where it is worth a look. measured, expected: in words; numbers: for machines."""

    name: str
    ok: bool
    measured: str
    expected: str
    numbers: dict[str, Any]


def sanity(recipe: Recipe, data_dir: str = "", dataset: Dataset | None = None) -> list[SanityCheck]:
    """Check a single model on its data, in the order of the header.

    recipe: model, data, loss, initializer, learning rate … as for training. dataset: the recipe's, where it is loaded.
    """
    dataset = dataset or load(recipe.data, data_dir=data_dir, size=recipe.size)
    model = untrained(recipe, dataset, IMAGES)
    first, after = observed(model, model.params), stepped(model, STEPS, SKIPPED)
    units = _units(model, first, after)
    return [_initial_loss(model, first), _by_heart(model), _flow(first), *units, _update_ratio(after)]


def _initial_loss(model: Untrained, first: Observed) -> SanityCheck:
    spread, softmax = float(first.scores.std(-1).mean()), model.recipe.loss == "softmax"
    guessing = f"ln {first.scores.shape[-1]} = {first.guessing:.3f}" if softmax else f"{first.guessing:.3f}"
    expected = f"near {guessing}, which guessing costs"
    if first.uninformed > 1.01 * first.guessing:
        expected += f"; first scores that spread by {spread:.2g} make it {first.uninformed:.3g}, whatever the label"
    if spread > WIDE:
        expected += ": the first weights are too large"
    numbers = {"loss": first.loss, "guessing": first.guessing, "uninformed": first.uninformed, "spread": spread}
    return SanityCheck("initial loss", spread <= WIDE, f"{first.loss:.3f}", expected, finite(numbers))


def _by_heart(model: Untrained) -> SanityCheck:
    result = learned(model, FEW, LONGEST, KNOWN)
    ok = not result.failed and result.step < LONGEST
    measured = f"{result.right} of {result.images} right, loss {result.loss:.2g} after {result.step:,} steps"
    expected = f"all right and a loss near 0 within {LONGEST:,} steps"
    if result.failed:
        measured, expected = f"not finite in step {result.step}", f"{expected}: is the learning rate too large?"
    elif not ok:
        expected += ": is the learning rate too small, or too large, or does a gradient not arrive?"
    return SanityCheck("few images", ok, measured, expected, finite(result._asdict()))


def _flow(first: Observed) -> SanityCheck:
    """Compare layers, first to last."""
    values = list(first.flow.values())
    ratio = values[0] / values[-1] if values[-1] else math.nan
    ok = all(map(math.isfinite, values)) and all(values) and (len(values) == 1 or VANISHED <= ratio <= EXPLODED)
    if not all(map(math.isfinite, values)):
        expected = "finite: the scores overflow"
    elif not all(values):
        stuck = next(name for name, value in reversed(first.flow.items()) if not value)
        expected = f"some gradient everywhere: none reaches {stuck}; are the weights behind it all zero?"
    elif len(values) == 1:
        expected = "more than 0; with one layer there is no way to lose it on"
    else:
        expected = f"first over last between {VANISHED:g} and {EXPLODED:g}, found {ratio:.2g}"
        if not ok:
            expected += f": it {'vanishes' if ratio < VANISHED else 'explodes'} on its way back"
    measured = ", ".join(f"{name} {value:.2g}" for name, value in first.flow.items())
    return SanityCheck("gradient flow", ok, measured, expected, {"rms": finite(first.flow), **finite({"ratio": ratio})})


def _units(model: Untrained, first: Observed, after: Stepped) -> list[SanityCheck]:
    """Look for hidden units with next to no slope; [] where there are none, or none that can lose it."""
    word = model.recipe.activation
    if not first.outputs or word not in ("relu", *SATURATES):
        return []
    later = observed(model, after.params).outputs
    shares = {name: [_stuck(word, h), _stuck(word, later[name])] for name, h in first.outputs.items()}
    measured = ", ".join(f"{name} {100 * one:.0f} % → {100 * two:.0f} %" for name, (one, two) in shares.items())
    name, bound, wrong = "saturated units", SATURATED, "of outputs at either end"
    if word == "relu":
        name, bound, wrong = "dead units", DEAD, f"positive for none of {len(model.rows)} images"
    ok = max(map(max, shares.values())) <= bound
    expected = f"below {100 * bound:.0f} % {wrong}, at first → after {STEPS} steps"
    if not ok:
        expected += ": they learn nothing more; try a smaller learning rate, or another initializer"
    return [SanityCheck(name, ok, measured, expected, {"share": shares})]


def _stuck(word: str, h: Tensor) -> float:
    """Return the share of units that are never positive, or of outputs (B, H) at either end."""
    if word == "relu":
        return float((h <= 0).all(0).float().mean())
    low, high = SATURATES[word]
    return float(((h < low) | (h > high)).float().mean())


def _update_ratio(after: Stepped) -> SanityCheck:
    logs = {name: math.log10(ratio) if ratio > 0 else -math.inf for name, ratio in after.ratios.items()}
    sizes = ", ".join(f"{name} {log:.1f}" if math.isfinite(log) else f"{name} not at all" for name, log in logs.items())
    low, high = min(logs.values()), max(logs.values())
    measured, ok = sizes.replace("-", "−"), low >= SLOW and high <= FAST and not after.failed
    expected = "about −3 in powers of ten: a step moves the weights by a thousandth of their size"
    if after.failed:
        measured = f"not finite in step {after.failed}"
        expected += ": is the learning rate too large?"
    elif low < SLOW:
        expected += ": no gradient arrives" if low == -math.inf else ": it hardly moves; try a larger learning rate"
    elif high > FAST:
        expected += ": steps are large for the weights; try a smaller learning rate"
    return SanityCheck("update ratio", ok, measured, expected, {"log10": finite(logs), "failed": after.failed})


def finite(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with None for numbers that JSON does not have."""
    return {name: None if isinstance(v, float) and not math.isfinite(v) else v for name, v in numbers.items()}
