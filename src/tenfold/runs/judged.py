"""Scores of members while they train, and of models behind a run; those of encoders are votes of near embeddings."""

__all__ = ["COLLAPSED", "judged", "part_scores", "run_scores", "scored_by"]

import importlib
from collections.abc import Mapping

import torch
from torch import Tensor

from tenfold.data.batches import Part
from tenfold.engine.population import Population
from tenfold.engine.types import Params
from tenfold.runs.run import Run
from tenfold.trained.embeddings import VOTES
from tenfold.trained.ensemble import Ensemble
from tenfold.trained.evaluate import Scores, evaluate
from tenfold.trained.model import TrainedModel, mean_scores, members_of, scores_of, test_views
from tenfold.trained.views import views_text

SLICE = 1000
COLLAPSED = "collapsed: "
"""Beginning of the reason why a member failed whose embeddings had nothing left to tell images apart by."""


def judged(run: Run, population: Population, params: Params, part: str) -> Scores:
    """Score every member on a part: by its classes, or where it is an encoder by those of the nearest embeddings."""
    if population.recipe.task != "contrast":
        return evaluate(population.model, params, run.parts[part], population.losses)
    judge = importlib.import_module("tenfold.runs.representation").embedding_scores  # few runs need it
    scores: Scores = judge(run, population, params, part)
    return scores


def run_scores(run: Run, trained: TrainedModel, part: str, computed: Mapping[str, Tensor]) -> Tensor:
    """Compute the scores (n, C) of a part; those of an encoder are votes of the nearest training images.

    computed: scores that an ensemble's members have already, by their names.
    """
    if trained.model.classes:
        return part_scores(trained, run.parts[part], computed)
    votes: Tensor = importlib.import_module("tenfold.runs.representation").votes(run, trained, part)
    return votes


def scored_by(trained: TrainedModel) -> str:
    """Say what scores are made of, "" for those of an image by the model itself."""
    return views_text(*test_views(trained)) if trained.model.classes else VOTES


def part_scores(trained: TrainedModel, part: Part, computed: Mapping[str, Tensor] | None = None) -> Tensor:
    """Compute the scores (n, C), float64, of the images of a part.

    computed: scores that an ensemble's members have already, by their names.
    """
    if isinstance(trained.model, Ensemble):
        names = [member.name for member in trained.model.parts]
        each = zip(names, members_of(trained), strict=True)
        there = computed or {}
        return mean_scores(trained, [there[n] if n in there else part_scores(member, part) for n, member in each])
    return torch.cat([scores_of(trained, part.images[rows].flatten(1).cpu()) for rows in torch.split(part.rows, SLICE)])
