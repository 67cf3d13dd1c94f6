"""A model on data before it is trained in earnest: five things that go wrong, each measured.

initial loss     near what guessing costs, ln C for softmax; first scores that spread by σ add about σ²/2
few images       50 are learned by heart: where that fails, something is wrong, be it the step size alone
gradient flow    rms of ∂L/∂z of the first layer over that of the last: it neither vanishes nor explodes on its way
dead units       a rectifier that is positive for none of 500 images has no gradient, and stays so
update ratio     ‖Δw‖ / ‖w‖ of a step, about 1e-3: with less it learns slowly, with more it jumps about
"""

__all__ = ["SanityCheck", "sanity"]

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from tenfold.choices import members
from tenfold.data.batches import Changes, Part, inputs, sampler, steps_per_epoch
from tenfold.data.types import Dataset
from tenfold.engine import loop
from tenfold.engine.population import Population, assemble, built, first_params
from tenfold.engine.types import Batch, Loss, Params, State, Value
from tenfold.files import as_json
from tenfold.recipe import Recipe
from tenfold.runs.prepare import data_of_recipe, parts, parts_of

CPU = torch.device("cpu")
IMAGES, FEW = 500, 50  # looked at, and learned by heart
LONGEST, STEPS, SKIPPED = 1000, 60, 10  # steps that the latter may take; steps taken, the first of which do not count
KNOWN = 0.1  # share of the loss of guessing below which images are learned by heart
VANISHED, EXPLODED = 1e-3, 1e3
WIDE = 3.0  # standard deviation of first scores beyond which they are sure of what they cannot know
DEAD, SATURATED = 0.25, 0.5
SLOW, FAST = -5.0, -1.3  # powers of ten of ‖Δw‖ / ‖w‖ beyond which a layer's median step is worth a look
SATURATES = {"sigmoid": (0.01, 0.99), "tanh": (-0.98, 0.98)}  # outputs beyond which a slope is 1/25 of its largest


@dataclass(frozen=True)
class SanityCheck:
    """One check. ok: False where it is worth a look. measured, expected: in words; numbers: for machines, as JSON."""

    name: str
    ok: bool
    measured: str
    expected: str
    numbers: dict[str, Any]


class _Untrained(NamedTuple):
    """A model with its first parameters, the part that it is tried on, rows of images at equal distances; its loss."""

    recipe: Recipe
    population: Population
    params: Params
    part: Part
    rows: Tensor
    loss: Loss

    def trained(self, batches: Callable[[int], Batch], steps: int) -> Iterator[tuple[State, Value]]:
        """Yield state and measurements after each of some steps from the first parameters."""
        population = self.population
        start = loop.start(self.params, population.optimizer)
        return loop.train(population.objective, population.optimizer, population.rate, batches, start, steps)


class _Observed(NamedTuple):
    """A pass: scores (B, C); flow: rms of ∂L/∂z by affine layer; outputs: of each activation (B, H), by its layer."""

    scores: Tensor
    flow: dict[str, float]
    outputs: dict[str, Tensor]


def sanity(recipe: Recipe, data_dir: str = "", dataset: Dataset | None = None) -> list[SanityCheck]:
    """Check a single model on its data, in the order of the header.

    recipe: model, data, loss, initializer, learning rate … as for training. dataset: the recipe's, where it is loaded.
    """
    model = _untrained(recipe, dataset or data_of_recipe(recipe, data_dir))
    first, (params, ratios, failed) = _observed(model, model.params), _stepped(model)
    units = _units(model, first, _observed(model, params))
    checks = [_initial_loss(model, first), _by_heart(model), _flow(first), *units, _update_ratio(ratios, failed)]
    return [replace(check, numbers=as_json(check.numbers)) for check in checks]


def _untrained(recipe: Recipe, dataset: Dataset) -> _Untrained:
    part = parts(recipe, dataset, {"train": parts_of(recipe, dataset)["train"]}, CPU)["train"]
    model, settings = built(recipe, part.image_shape, len(dataset.class_names)), members(recipe)[:1]
    updates = steps_per_epoch(len(part.rows), recipe.batch_size)
    population = assemble(recipe, settings, model, recipe.epochs * updates, updates, CPU)
    params = first_params(recipe, settings, model, CPU)
    return _Untrained(recipe, population, params, part, _spread(part, IMAGES), population.alone[0])


def _observed(model: _Untrained, params: Params) -> _Observed:
    x = inputs(model.part, model.part.images[model.rows], model.population.model.takes)
    links = model.population.model.links({})
    pulls, outputs, flow, h = [], {}, {}, x
    for link in links:
        h, pull = link.layer(h, *(params[name] for name in link.weights))
        pulls.append(pull)
        if not link.weights:
            outputs[link.name.partition(".")[0]] = h[0]
    _, d = model.loss(h, model.part.labels[model.rows])
    for link, pull in zip(reversed(links), reversed(pulls), strict=True):
        if link.weights:
            flow[link.name] = float(d.square().mean().sqrt())
        d = pull(d, need_dx=link is not links[0])[0]
    return _Observed(h[0], dict(reversed(flow.items())), outputs)


def _stepped(model: _Untrained) -> tuple[Params, dict[str, float], int]:
    """Take some steps: the parameters after them, the median ‖Δw‖/‖w‖ by layer, and the step that failed or 0."""
    recipe, population = model.recipe, model.population
    takes, noise = population.model.takes, population.model.noise
    batches = sampler(
        model.part, recipe.batch_size, recipe.seed, recipe.sampling, Changes(population.flip), takes, noise
    )
    failed, before = 0, {name: tensor.clone() for name, tensor in model.params.items()}
    ratios: dict[str, list[float]] = {name.removesuffix(".weight"): [] for name in before if name.endswith("weight")}
    for state, _ in model.trained(batches, STEPS):
        if int(state.status) < 0:
            failed = -int(state.status)
            break
        for name, steps in ratios.items() if state.step > SKIPPED else ():
            size, after = float(before[f"{name}.weight"].norm()), state.params[f"{name}.weight"]
            moved = float((after - before[f"{name}.weight"]).norm())
            steps.append(moved / size if size else math.inf if moved else 0.0)
        before = {name: tensor.clone() for name, tensor in state.params.items()}
    medians = {name: torch.tensor(steps or [math.nan], dtype=torch.float64).median() for name, steps in ratios.items()}
    return before, {name: float(median) for name, median in medians.items()}, failed


def _spread(part: Part, count: int) -> Tensor:
    """Return some rows of a part, at equal distances, so that every class of a sorted data set is among them."""
    return part.rows[torch.linspace(0, len(part.rows) - 1, min(count, len(part.rows))).long()]


def _initial_loss(model: _Untrained, first: _Observed) -> SanityCheck:
    """Compare the loss with that of zero scores, and that of these scores if labels had nothing to do with them."""
    z, y, classes = first.scores, model.part.labels[model.rows], first.scores.shape[-1]
    pairs = [(z, y), (torch.zeros_like(z), y), *((z, (y + k) % classes) for k in range(classes))]
    loss, guessing, *others = (float(model.loss(scores[None], labels)[0]) for scores, labels in pairs)
    spread, uninformed = float(z.std(-1).mean()), sum(others) / classes
    expected = f"near {f'ln {classes} = ' * (model.recipe.loss == 'softmax')}{guessing:.3f}, which guessing costs"
    if uninformed > 1.01 * guessing:
        expected += f"; first scores that spread by {spread:.2g} make it {uninformed:.3g}, whatever the label"
    if spread > WIDE:
        expected += ": the first weights are too large"
    numbers = {"loss": loss, "guessing": guessing, "uninformed": uninformed, "spread": spread}
    return SanityCheck("initial loss", spread <= WIDE, f"{loss:.3f}", expected, numbers)


def _by_heart(model: _Untrained) -> SanityCheck:
    """Take full batches of a few images, until all are right and cost less than a share of what guessing costs."""
    part = model.part._replace(rows=_spread(model.part, FEW))
    images, y = len(part.rows), part.labels[part.rows]
    zeros = torch.zeros(1, images, model.population.model.classes, dtype=part.factor.dtype)
    enough = KNOWN * float(model.loss(zeros, y)[0])
    batches = sampler(
        part, images, model.recipe.seed, "shuffle", Changes(), model.population.model.takes, lambda size: {}
    )
    right, loss, step, failed = 0, math.nan, 0, False
    for state, value in model.trained(batches, LONGEST):
        right, loss = round(float(value.accuracy) * images), float(value.loss)
        step, failed = state.step, int(state.status) < 0
        if failed or (right == images and loss < enough):
            break
    ok, measured = not failed and step < LONGEST, f"{right} of {images} right, loss {loss:.2g} after {step:,} steps"
    expected = f"all right and a loss near 0 within {LONGEST:,} steps"
    if failed:
        measured, expected = f"not finite in step {step}", f"{expected}: is the learning rate too large?"
    elif not ok:
        expected += ": is the learning rate too small, or too large, or does a gradient not arrive?"
    numbers = {"right": right, "images": images, "loss": loss, "step": step, "failed": failed}
    return SanityCheck("few images", ok, measured, expected, numbers)


def _flow(first: _Observed) -> SanityCheck:
    values, ok = list(first.flow.values()), False
    ratio = values[0] / values[-1] if values[-1] else math.nan
    if not all(map(math.isfinite, values)):
        expected = "finite: the scores overflow"
    elif not all(values):
        stuck = next(name for name, value in reversed(first.flow.items()) if not value)
        expected = f"some gradient everywhere: none reaches {stuck}; are the weights behind it all zero?"
    elif len(values) == 1:
        ok, expected = True, "more than 0; with one layer there is no way to lose it on"
    else:
        ok = VANISHED <= ratio <= EXPLODED
        wrong = f": it {'vanishes' if ratio < VANISHED else 'explodes'} on its way back" * (not ok)
        expected = f"first over last between {VANISHED:g} and {EXPLODED:g}, found {ratio:.2g}{wrong}"
    measured = ", ".join(f"{name} {value:.2g}" for name, value in first.flow.items())
    return SanityCheck("gradient flow", ok, measured, expected, {"rms": first.flow, "ratio": ratio})


def _units(model: _Untrained, first: _Observed, later: _Observed) -> list[SanityCheck]:
    """Look for hidden units with next to no slope; [] where there are none, or none that can lose it."""
    word = model.recipe.activation
    if not first.outputs or word not in ("relu", *SATURATES):
        return []
    shares = {name: [_stuck(word, h), _stuck(word, later.outputs[name])] for name, h in first.outputs.items()}
    measured = ", ".join(f"{name} {100 * one:.0f} % → {100 * two:.0f} %" for name, (one, two) in shares.items())
    name, bound, wrong = "saturated units", SATURATED, "of outputs at either end"
    if word == "relu":
        name, bound, wrong = "dead units", DEAD, f"positive for none of {len(model.rows)} images"
    ok = max(map(max, shares.values())) <= bound
    cure = ": they learn nothing more; try a smaller learning rate, or another initializer" * (not ok)
    expected = f"below {100 * bound:.0f} % {wrong}, at first → after {STEPS} steps{cure}"
    return [SanityCheck(name, ok, measured, expected, {"share": shares})]


def _stuck(word: str, h: Tensor) -> float:
    """Return the share of units that are never positive, or of outputs (B, H) at either end."""
    low, high = SATURATES.get(word, (0.0, 0.0))
    return float(((h <= 0).all(0) if word == "relu" else (h < low) | (h > high)).float().mean())


def _update_ratio(ratios: Mapping[str, float], failed: int) -> SanityCheck:
    logs = {name: math.log10(ratio) if ratio > 0 else -math.inf for name, ratio in ratios.items()}
    sizes = ", ".join(f"{name} {log:.1f}" if math.isfinite(log) else f"{name} not at all" for name, log in logs.items())
    low, high = min(logs.values()), max(logs.values())
    measured, ok = sizes.replace("-", "−"), low >= SLOW and high <= FAST and not failed
    expected = "about −3 in powers of ten: a step moves the weights by a thousandth of their size"
    if failed:
        measured = f"not finite in step {failed}"
        expected += ": is the learning rate too large?"
    elif low < SLOW:
        expected += ": no gradient arrives" if low == -math.inf else ": it hardly moves; try a larger learning rate"
    elif high > FAST:
        expected += ": steps are large for the weights; try a smaller learning rate"
    return SanityCheck("update ratio", ok, measured, expected, {"log10": logs, "failed": failed})
