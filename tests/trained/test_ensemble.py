"""Ensembles: the mean of probabilities, greedy selection, and selection judged on images that it has not seen."""

import pytest
import torch
from sklearn.metrics import f1_score

from tenfold.trained.ensemble import cross_selected, greedy, mixed

IMAGES, CLASSES = 400, 5


def answers(rng, strength):
    """Probabilities (n, C) of a model that is the righter the stronger, and the labels."""
    labels = torch.arange(IMAGES) % CLASSES
    z = torch.from_numpy(rng.normal(size=(IMAGES, CLASSES)))
    z[torch.arange(IMAGES), labels] += strength
    return z.softmax(-1), labels


def accuracy(p, labels):
    return float((p.argmax(-1) == labels).double().mean())


def score(p, labels, metric):
    return f1_score(labels, p.argmax(-1), average="macro") if metric == "macro_f1" else accuracy(p, labels)


def test_scores_are_the_logarithm_of_the_weighted_mean_even_of_nothing():
    first, second = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.2, 0.8]])
    torch.testing.assert_close(mixed([first, second], (0.25, 0.75)).softmax(-1), 0.25 * first + 0.75 * second)
    assert bool(mixed([first], (1.0,)).isfinite().all())


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_each_addition_is_the_best_one_and_the_best_mean_of_all_is_returned(metric, rng):
    models = [answers(rng, strength)[0] for strength in (0.5, 1.0, 1.5)]
    labels = answers(rng, 0.0)[1]

    def quality(p):
        return score(p, labels, metric), float(p[torch.arange(IMAGES), labels].log().mean())

    chosen, best, wanted = [], (-1.0, 0.0), []
    for _ in range(50):
        options = [torch.stack([models[k] for k in (*chosen, option)]).mean(0) for option in range(3)]
        chosen.append(max(range(3), key=lambda k: quality(options[k])))
        if quality(options[chosen[-1]]) > best:
            best, wanted = quality(options[chosen[-1]]), [*chosen]
    added = greedy(torch.stack(models), labels, metric)  # twice the same additions are the same mean
    assert [n / sum(added) for n in added] == [wanted.count(k) / len(wanted) for k in range(3)]
    assert best[0] >= max(score(p, labels, metric) for p in models)


def test_models_that_err_apart_gain_together_on_images_that_selection_has_not_seen(rng):
    models = torch.stack([answers(rng, 1.2)[0] for _ in range(8)])
    labels = answers(rng, 0.0)[1]
    best = max(accuracy(p, labels) for p in models)
    assert accuracy(torch.nn.functional.one_hot(cross_selected(models, labels, "accuracy", 0)), labels) > best + 0.1


def test_a_selection_is_not_judged_on_the_images_that_it_was_made_by(rng):
    noise = torch.stack([answers(rng, 0.0)[0] for _ in range(64)])  # all they know is what selection tells them
    labels = torch.from_numpy(rng.integers(0, CLASSES, IMAGES))
    added = torch.tensor(greedy(noise, labels), dtype=noise.dtype)
    flattered = accuracy(torch.einsum("m,mnc->nc", added, noise), labels)
    honest = float((cross_selected(noise, labels, "accuracy", 0) == labels).double().mean())
    assert flattered > 0.3 > 0.27 > honest
