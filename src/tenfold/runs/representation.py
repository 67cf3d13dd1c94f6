"""An encoder judged while it trains: by probes on held-out images, by how its embeddings lie, and by their collapse.

Labels judge here even where the loss sees none. The embeddings of some training images vote on the class of others
(kNN), and give the least-squares map of the linear probe.
"""

__all__ = ["collapsed", "embedding_scores", "validated", "votes"]

import math
from typing import NamedTuple

import torch
from torch import Tensor

from tenfold.data.batches import Changes, Part, changes_of, inputs, sampler, steps_per_epoch
from tenfold.engine.chain import chain
from tenfold.engine.encoder import Encoder, asked
from tenfold.engine.mining import active_share
from tenfold.engine.objective import MINING, side_by_side
from tenfold.engine.population import Population
from tenfold.engine.types import Batch, Params, State
from tenfold.engine.views import views
from tenfold.runs.judged import COLLAPSED
from tenfold.runs.run import Run, tensors_of
from tenfold.text import percent, setting
from tenfold.trained.embeddings import alignment, effective_rank, neighbor_votes, ridge_scores, uniformity
from tenfold.trained.evaluate import Scores, score_labels
from tenfold.trained.model import TrainedModel, embeddings_of

# Images of a part that are embedded while a run goes on, those that judge and those that are judged, and numbers that
# their embeddings take at most.
IMAGES, NUMBERS = 5000, 10**8
# Held-out images that spread, rank and distances are measured on, and held-out batches that the loss is measured on.
SAMPLE, BATCHES = 512, 4
# Training images that vote on the answers of a finished run.
VOTERS = 50_000
SLICE = 500
# Collapsed is what has a rank below this, or a loss this near the margin, and tells classes hardly better than chance.
RANK, NEAR, BLIND = 1.2, 0.02, 1.5


class _Embedded(NamedTuple):
    """Embeddings h (P, n, D) of images of a part, their labels (n,) and their positions (n,)."""

    h: Tensor
    labels: Tensor
    rows: Tensor


def embedding_scores(run: Run, population: Population, params: Params, part: str) -> Scores:
    """Return the loss of every member on batches of a part, and metrics of its kNN on images of it; (P,) each.

    Of a part with many images, some thousand are asked about.
    """
    references, asked_about = (_embedded(population, params, run.parts[name]) for name in ("train", part))
    return _scores(run, population, params, run.parts[part], references, asked_about)


def validated(run: Run, population: Population, state: State, batch: Batch) -> tuple[Scores, dict[str, Tensor]]:
    """Return the scores on the validation part, and the further columns of metrics.csv by name, (P,) each.

    batch: of training, whose triplets are counted.
    """
    params, part = tensors_of(state), run.parts["validation"]
    references, held = _embedded(population, params, run.parts["train"]), _embedded(population, params, part)
    scores = _scores(run, population, params, part, references, held)
    return scores, _quality(run, population, state, batch, references, held)


def _scores(
    run: Run, population: Population, params: Params, part: Part, references: _Embedded, asked_about: _Embedded
) -> Scores:
    classes = len(run.about.facts.class_names)
    itself = _places(references.rows, len(part.labels))[asked_about.rows.cpu()].to(references.rows.device)
    voted = [
        neighbor_votes(h, near, references.labels, classes, itself).argmax(1)
        for h, near in zip(asked_about.h, references.h, strict=True)
    ]
    loss = _loss(population, params, part)
    return score_labels(loss, torch.stack(voted).cpu(), asked_about.labels.cpu(), classes)


def _quality(
    run: Run, population: Population, state: State, batch: Batch, references: _Embedded, held: _Embedded
) -> dict[str, Tensor]:
    classes, of_references = len(run.about.facts.class_names), references.labels
    some = _spread(torch.arange(len(held.rows), device=held.rows.device), SAMPLE)
    pairs = list(zip(held.h, references.h, strict=True))
    columns = {
        "linear_probe": [_right(ridge_scores(h, near, of_references, classes), held.labels) for h, near in pairs],
        "active": _active(population, state, batch),
        "effective_rank": [effective_rank(of_member[some]) for of_member in held.h],
        "alignment": [alignment(of_member[some], held.labels[some]) for of_member in held.h],
        "uniformity": [uniformity(of_member[some]) for of_member in held.h],
    }
    return {name: torch.tensor(values, dtype=torch.float64) for name, values in columns.items()}


def collapsed(
    run: Run, population: Population, state: State, loss: Tensor, scores: Scores, more: dict[str, Tensor]
) -> dict[int, str]:
    """Return the reason for every active row (P,) whose embeddings have collapsed, and what to change.

    loss: (P,) running means of the training loss.
    """
    counts = torch.bincount(run.parts["validation"].labels[run.parts["validation"].rows])
    chance, reasons = float(counts.max() / counts.sum()), {}
    for row in (state.status == 0).nonzero()[:, 0].tolist():
        rank, accuracy = float(more["effective_rank"][row]), float(scores.accuracy[row])
        margin = _margin(population, row)
        stuck = abs(float(loss[row]) - margin) < NEAR * margin
        if (rank < RANK or stuck) and accuracy < min(BLIND * chance, (1 + chance) / 2):
            at = f"a loss of {float(loss[row]):.4g}, the margin, " if stuck else ""
            reasons[row] = (
                f"{COLLAPSED}{at}an effective rank of {rank:.2f}, and neighbors that name {percent(accuracy)} % of "
                f"classes, where the largest has {percent(chance)} % of images; {_cure(population, row)}"
            )
    return reasons


def votes(run: Run, trained: TrainedModel, part: str) -> Tensor:
    """Return logarithms of votes (n, C) on the images of a part by the training images nearest to them."""
    train, given = run.parts["train"], run.parts[part]
    rows = _spread(train.rows, VOTERS)
    references, h = (_all_embeddings(trained, where, some) for where, some in ((train, rows), (given, given.rows)))
    itself = _places(rows, len(train.labels))[given.rows.cpu()] if part == "train" else None
    return neighbor_votes(h, references, train.labels[rows].cpu(), len(trained.class_names), itself)


def _places(rows: Tensor, images: int) -> Tensor:
    """Return the place among rows of every image (N,), −1 for those that are not among them."""
    places = torch.full((images,), -1, dtype=torch.int64)
    places[rows.cpu()] = torch.arange(len(rows))
    return places


def _all_embeddings(trained: TrainedModel, part: Part, rows: Tensor) -> Tensor:
    pieces = torch.split(rows, SLICE)
    return torch.cat([embeddings_of(trained, part.images[some].flatten(1).cpu()) for some in pieces])


def _embedded(population: Population, params: Params, part: Part) -> _Embedded:
    """Return the embeddings of images that are spread over a part."""
    model = _encoder(population)
    most = max(SAMPLE, min(IMAGES, NUMBERS // (len(population.settings) * model.width)))
    rows = _spread(part.rows, most)
    pieces = (inputs(part, part.images[some], model.takes) for some in torch.split(rows, SLICE))
    return _Embedded(torch.cat([model.predict(params, {}, x) for x in pieces], 1), part.labels[rows], rows)


def _loss(population: Population, params: Params, part: Part) -> Tensor:
    """Return the mean loss (P,) of some batches, the same at every validation; views are changed as in training."""
    recipe, model = population.recipe, _encoder(population)
    _, count, labeled = asked(recipe)
    flip = population.flip if isinstance(population.flip, float) else float(population.flip.max())
    changes = changes_of(recipe, flip) if count > 1 else Changes()
    batches = sampler(
        part,
        recipe.batch_size,
        recipe.seed,
        "shuffle",
        changes._replace(views=count, labeled=labeled),
        model.takes,
        model.noise,
    )
    total, loss = 0, torch.zeros(len(population.settings), dtype=torch.float64)
    for t in range(min(BATCHES, steps_per_epoch(len(part.rows), recipe.batch_size))):
        batch = batches(t)
        z = model.seen(params, model.predict(params, {}, batch.inputs))
        value, _ = side_by_side(population.losses)(z, batch.targets, batch.noise[MINING])
        loss += value.double().cpu() * len(batch.targets)
        total += len(batch.targets)
    return loss / total


def _active(population: Population, state: State, batch: Batch) -> list[float]:
    """Return each member's share of triplets of a batch with a loss; NaN for a loss that is no hinge of triplets."""
    z, _, _ = population.model.forward(state.params, state.buffers, batch.inputs, batch.noise)
    z, _ = chain(views(batch), {}, z)
    of_triplets = [settings["loss"] == "triplet" for settings in population.settings]
    return [
        float(active_share(z[k], batch.targets, _margin(population, k))) if there else math.nan
        for k, there in enumerate(of_triplets)
    ]


def _margin(population: Population, row: int) -> float:
    """Return the margin of a member's triplets, NaN where it has none."""
    settings = population.settings[row]
    chosen = settings.get("margin", population.recipe.model_dump()["margin"])
    return float(chosen) if settings["loss"] == "triplet" else math.nan


def _cure(population: Population, row: int) -> str:
    settings, mining = population.settings[row], population.recipe.model_dump()["mining"]
    hard = settings["loss"] == "triplet" and mining == "batch-hard"
    other = ", or --mining semi-hard, whose negatives do not draw everything together" if hard else ""
    raw = "" if _encoder(population).unit else ", or --embedding-length unit, which cannot shrink"
    raw += ", or a smaller --l2" if settings.get("l2") else ""
    return f"try --learning-rate {setting(float(settings['learning_rate']) / 10, 3)}{other}{raw}"


def _right(scores: Tensor, labels: Tensor) -> float:
    return float((scores.argmax(1) == labels).double().mean())


def _spread(rows: Tensor, most: int) -> Tensor:
    """Return so many of the positions at most, spread evenly over all."""
    return rows[:: math.ceil(len(rows) / most)]


def _encoder(population: Population) -> Encoder:
    assert isinstance(population.model, Encoder)
    return population.model
