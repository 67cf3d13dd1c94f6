"""Candidates × folds × seeds -> populations: what must differ between populations, what trains together, what fits.

A population shares its batches and its shapes: a value of a field in SPLITTING, a fold and a seed make one each. What
is left trains together, up to what memory holds; the images (uint8) are shared and not counted here.
"""

__all__ = ["Plan", "Unit", "copies", "members_that_fit", "plan", "sentences"]

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import torch

from tenfold.engine.population import built, optimizer_of
from tenfold.engine.weights import count
from tenfold.errors import UsageError
from tenfold.recipe import SPLITTING, Recipe, Settings
from tenfold.trained.evaluate import SLICE

# What the libraries take for themselves, whatever the population: measured, as is that the sum is a bound.
SCRATCH = 20 * 10**6
# Copies of a batch of inputs: as it is gathered, as numbers, as it is turned round for the products.
GATHERED = 3
# Scores or activations of a layer at once: forward, its gradient, what the loss and the pullback make on the way.
PASSES = 4


class Unit(NamedTuple):
    """One population. shared: its value of each SPLITTING field that the candidates name; fold: from 0; seed: of its
    order, flips and masks; members: numbers of its candidates, those of one loss side by side; bytes: its memory.
    """

    shared: Settings
    fold: int
    seed: int
    members: tuple[int, ...]
    bytes: int


class Plan(NamedTuple):
    """All populations of a sweep, in the order in which they are made; reasons: what split them, as words."""

    units: tuple[Unit, ...]
    candidates: int
    folds: int
    seeds: int
    reasons: tuple[str, ...]
    pieces: int
    budget: int


def plan(
    recipe: Recipe,
    candidates: Sequence[Settings],
    image_shape: Sequence[int],
    classes: int,
    folds: int,
    seeds: Sequence[int],
    budget: int,
) -> Plan:
    """Return populations of all candidates in every fold with every seed.

    recipe: what no candidate changes. image_shape: (channels, H, W); classes: C of the data. folds: how
    many, 1 for one validation part.
    seeds: repetitions; a candidate that names its own seed has that alone. budget: bytes for one population beside the
    images. Raises UsageError where a single member needs more, or the seed is both an axis and repeated.
    """
    groups: dict[tuple[Any, ...], list[int]] = {}
    for member, settings in enumerate(candidates):
        groups.setdefault(_key(settings), []).append(member)
    if len(seeds) > 1 and any("seed" in dict(key) for key in groups):
        raise UsageError("the seed is both searched and repeated: choose one of the two")
    units: list[Unit] = []
    pieces = 1
    for key, members in groups.items():
        shared = dict(key)
        chunks = _chunks(recipe, candidates, shared, members, image_shape, classes, budget)
        pieces = max(pieces, len(chunks))
        for seed in [shared["seed"]] if "seed" in shared else seeds:
            units += [Unit(shared, fold, seed, chunk, size) for fold in range(folds) for chunk, size in chunks]
    reasons = _reasons(list(groups), folds, len(seeds))
    return Plan(tuple(units), len(candidates), folds, len(seeds), reasons, pieces, budget)


def members_that_fit(parameter_bytes: int, copies: int, batch_bytes: int, budget: int) -> int:
    """Count how many members of a population a budget of bytes holds.

    parameter_bytes: the weights of one member; copies: tensors of that size in the optimizer's memory; batch_bytes: the
    scores and activations of one member for one batch.
    """
    return budget // _member_bytes(parameter_bytes, copies, batch_bytes)


def copies(recipe: Recipe, settings: Sequence[Settings]) -> int:
    """Return tensors as large as the weights that the optimizer keeps for members with these settings."""
    return len(optimizer_of(recipe, settings, torch.device("cpu")).slots)


def sentences(plan: Plan) -> list[str]:
    """Say how many populations there are, why, and what they need, for people.

    >>> units = tuple(Unit({"batch_size": b}, f, 0, tuple(range(8)), 3 * 10**6) for b in (32, 64) for f in range(5))
    >>> for line in sentences(Plan(units, 16, 5, 1, ("2 values of batch_size", "5 folds"), 1, 10**9)):
    ...     print(line)
    16 settings × 5 folds: 80 runs in 10 populations, 8 members each.
    They are split by: 2 values of batch_size × 5 folds.
    The largest population takes about 3 MB beside the images.
    """
    if not plan.units:
        return ["There is nothing to train."]
    sizes = [len(unit.members) for unit in plan.units]
    each = f"{sizes[0]}" if min(sizes) == max(sizes) else f"{min(sizes)} to {max(sizes)}"
    what = [_counted(plan.candidates, "setting")]
    what += [_counted(n, word) for n, word in ((plan.folds, "fold"), (plan.seeds, "seed")) if n > 1]
    runs, made = _counted(sum(sizes), "run"), _counted(len(sizes), "population")
    lines = [f"{' × '.join(what)}: {runs} in {made}, {each} member{'s' * (max(sizes) > 1)} each."]
    if plan.reasons:
        lines.append(f"They are split by: {' × '.join(plan.reasons)}.")
    if plan.pieces > 1:
        lines.append(
            f"Memory splits what could train together into up to {plan.pieces} pieces: a population may take "
            f"{_megabytes(plan.budget)} beside the images."
        )
    largest = max(unit.bytes for unit in plan.units)
    return [*lines, f"The largest population takes about {_megabytes(largest)} beside the images."]


def _key(settings: Settings) -> tuple[tuple[str, Any], ...]:
    """Return the key of a candidate's population; lists, as JSON has them, are tuples in a recipe."""
    chosen = ((field, settings[field]) for field in SPLITTING if field in settings)
    return tuple((field, tuple(value) if isinstance(value, list) else value) for field, value in chosen)


def _chunks(
    recipe: Recipe,
    candidates: Sequence[Settings],
    shared: Settings,
    members: Sequence[int],
    image_shape: Sequence[int],
    classes: int,
    budget: int,
) -> list[tuple[tuple[int, ...], int]]:
    """Put the members of one group in as few populations as fit, of even sizes, and the bytes of each."""
    unit_recipe = recipe.model_copy(update=shared)
    settings = [candidates[member] for member in members]
    ordered = [members[i] for i in _by_loss(settings, unit_recipe)]
    weights, batch, fixed = _bytes(unit_recipe, settings, image_shape, classes)
    one = _member_bytes(weights, copies(unit_recipe, settings), batch)
    fit = members_that_fit(weights, copies(unit_recipe, settings), batch, budget - fixed)
    if fit < 1:
        raise UsageError(
            f"one member of the model {unit_recipe.model} takes {_megabytes(one + fixed)}, and a population may take "
            f"{_megabytes(budget)}: choose smaller layers or a smaller --batch-size, or give it more memory"
        )
    count = math.ceil(len(ordered) / fit)
    cuts = [i * len(ordered) // count for i in range(count + 1)]
    parts = [tuple(ordered[a:b]) for a, b in pairwise(cuts)]
    return [(part, fixed + one * len(part)) for part in parts]


def _by_loss(settings: Sequence[Settings], recipe: Recipe) -> list[int]:
    """Return places with the members of one loss side by side, which is how a population wants them."""
    words = [str(member.get("loss", recipe.loss)) for member in settings]
    return sorted(range(len(words)), key=lambda i: words.index(words[i]))


def _bytes(
    recipe: Recipe, settings: Sequence[Settings], image_shape: Sequence[int], classes: int
) -> tuple[int, int, int]:
    """Count the bytes of one member: its weights and its part of a batch; of all members their inputs."""
    item = 8 if recipe.precision == "float64" else 4
    shapes = built(recipe, image_shape, classes).shapes()
    weights = count(shapes)
    # In bfloat16 what is multiplied is copied: half of its bytes again.
    narrow = 2 if recipe.precision == "bfloat16" else 0
    # Members that mirror differently see a batch twice: the images, and their mirror images.
    twice = len({member.get("flip", recipe.flip) for member in settings}) > 1
    batch = max(recipe.batch_size * (1 + twice), SLICE)
    scores = batch * sum(shape[0] for shape in shapes.values() if len(shape) > 1) * PASSES
    gathered = batch * math.prod(image_shape) * (GATHERED * item + narrow)
    return weights * item, scores * item + weights * narrow, gathered + SCRATCH


def _member_bytes(parameter_bytes: int, copies: int, batch_bytes: int) -> int:
    """Count weights and memory twice, since a state is copied when it starts and is saved, and the gradient."""
    return parameter_bytes * (2 * (1 + copies) + 1) + batch_bytes


def _reasons(keys: Sequence[tuple[Any, ...]], folds: int, seeds: int) -> tuple[str, ...]:
    """Say what splits: counts of values where every combination is there, else the number of combinations."""
    values: dict[str, set[Any]] = {}
    for key in keys:
        for name, value in key:
            values.setdefault(name, set()).add(value)
    counts = {name: len(different) for name, different in values.items() if len(different) > 1}
    if math.prod(counts.values()) == len(keys):
        reasons = [f"{count} values of {name}" for name, count in counts.items()]
    else:
        reasons = [f"{len(keys)} combinations of {', '.join(counts or values)}"]
    reasons += [f"{folds} folds"] * (folds > 1)
    return tuple(reasons + [f"{seeds} seeds"] * (seeds > 1))


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}{'s' * (number != 1)}"


def _megabytes(size: int) -> str:
    """Return bytes as one says them."""
    return f"{size / 10**9:,.1f} GB" if size >= 10**9 else f"{max(1, round(size / 10**6)):,} MB"
