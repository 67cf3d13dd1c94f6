"""What a sweep costs: its population against one model at a time, its search against scikit-learn, halving against all.

The searches go from images in memory to the best setting trained again: 8 settings × 3 folds; ours is validated after
every epoch and tested at the end besides. Linear: CIFAR-10, its first 20,000 images; MLP 784-100-10: MNIST, its first
30,000; 5 epochs, batch 100 (but SGDClassifier, which takes one image at a time). scikit-learn gets its pixels as
floats, standardized beforehand, and n_jobs = 2. Halving is timed from the first second to the report. Needs the real
data (TENFOLD_DATA, or they are downloaded).
"""

import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

import tenfold
from bench_linear import eager, ours
from sidebyside import Budget, main
from tenfold.runs.checkpoint import Saver
from tenfold.runs.folder import COLUMNS
from tenfold.runs.pace import rehearsal
from tenfold.search.request import requested
from tenfold.search.sweep import sweep_settings
from tenfold.sessions import Finished, begin

EPOCHS, FOLDS, SETTINGS = 5, 3, 8
RATES = [float(f"{rate:.4g}") for rate in torch.logspace(-4, -1, SETTINGS)]
IMAGES = {"cifar10": 20_000, "mnist": 30_000}
MLP = {"model": "mlp", "hidden": [100], "momentum": 0.9}
HALVED = {"learning_rate": "1e-4:1e-1:log", "l2": "1e-6:1e-1:log", "members": 81, "epochs": 27}


def swept(data: str, **choices: Any) -> Finished:
    """A sweep from its first second to its last, in a folder that goes."""
    with TemporaryDirectory() as folder:
        common = {"data": data, "rows": f"0:{IMAGES[data]}", "batch_size": 100}
        return begin(requested({**common, **choices}), str(Path(folder) / "run"))


def search(data: str, **choices: Any) -> Callable[[], object]:
    """A sweep without reading the data before it and drawing figures after it."""
    common = {"data": data, "rows": f"0:{IMAGES[data]}", "batch_size": 100, "learning_rate": RATES, "folds": FOLDS}
    with rehearsal(requested({**common, **choices}), "") as (run, prepared):
        pass

    def once(epochs: int) -> object:
        own = prepared._replace(recipe=prepared.recipe.model_copy(update={"epochs": epochs}))
        with TemporaryDirectory() as folder:
            place = Path(folder)
            (place / "metrics.csv").write_text(",".join(COLUMNS) + "\n")
            return sweep_settings(run._replace(folder=place, saver=Saver(place)), own, None)

    return warmed(once)


def warmed(run: Callable[[int], object]) -> Callable[[], object]:
    """The first call, which does not count, is a short one."""
    epochs = iter([1])
    return lambda: run(next(epochs, EPOCHS))


def floats(data: str) -> tuple[Any, Any]:
    """Pixels with mean 0 and deviation 1, as the estimators' users are told to."""
    dataset = tenfold.load(data)
    rows = dataset.parts["train"][: IMAGES[data]]
    x = dataset.images[rows].flatten(1).float()
    return ((x - x.mean()) / x.std()).numpy(), dataset.labels[rows].numpy()


def grid(data: str, make: Callable[[int], tuple[Any, dict[str, Any]]]) -> Callable[[], object]:
    from sklearn.model_selection import GridSearchCV

    x, y = floats(data)

    def run(epochs: int) -> object:
        estimator, axes = make(epochs)
        return GridSearchCV(estimator, axes, cv=FOLDS, n_jobs=2).fit(x, y)

    return warmed(run)


def sgd_classifier(epochs: int) -> tuple[Any, dict[str, Any]]:
    from sklearn.linear_model import SGDClassifier

    return SGDClassifier(loss="log_loss", max_iter=epochs, tol=None, learning_rate="constant"), {"eta0": RATES}


def mlp_classifier(epochs: int) -> tuple[Any, dict[str, Any]]:
    from sklearn.neural_network import MLPClassifier

    options = {"batch_size": 100, "max_iter": epochs, "n_iter_no_change": epochs, "alpha": 0.0}
    return MLPClassifier((100,), solver="sgd", nesterovs_momentum=False, **options), {"learning_rate_init": RATES}


def halving() -> None:
    """81 settings with a factor of 3 against all of them to the end: wall time, and what the choice is worth."""
    runs, seconds = [], []
    for factor in (0, 3):
        start = time.perf_counter()
        runs.append(swept("cifar10", **HALVED, halving=factor))
        seconds.append(time.perf_counter() - start)
    scores = {row["member"]: row["score"] for row in runs[0].result["table"]}
    chosen = [run.result["best"]["member"] for run in runs]
    print(f"halving, factor 3: {seconds[1]:.1f} s where all 81 to the end took {seconds[0]:.1f} s")
    print(f"  its choice, setting {chosen[1]}, has {100 * scores[chosen[1]]:.2f} % in the full sweep, whose best is")
    print(f"  setting {chosen[0]} with {100 * scores[chosen[0]]:.2f} %; budget 0.3 points")


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # scikit-learn's, that so few epochs do not converge
    main(
        "Sweeps",
        {
            "torch eager": (eager, 1),
            "tenfold P = 64 float32": (partial(ours, 64, "float32"), 64),
            "tenfold P = 64 bfloat16": (partial(ours, 64, "bfloat16"), 64),
            "tenfold search, linear": (partial(search, "cifar10"), 1),
            "GridSearchCV(SGDClassifier)": (partial(grid, "cifar10", sgd_classifier), 1),
            "tenfold search, MLP": (partial(search, "mnist", **MLP), 1),
            "GridSearchCV(MLPClassifier)": (partial(grid, "mnist", mlp_classifier), 1),
        },
        [
            Budget("tenfold P = 64 float32", "torch eager", 1 / 10),
            Budget("tenfold P = 64 bfloat16", "torch eager", 1 / 20),
            Budget("tenfold search, linear", "GridSearchCV(SGDClassifier)", 1 / 40, rounds=1),
            Budget("tenfold search, MLP", "GridSearchCV(MLPClassifier)", 1 / 2, rounds=1),
        ],
    )
    if "--serve" not in sys.argv:
        halving()
