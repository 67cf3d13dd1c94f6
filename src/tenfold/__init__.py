"""Training, verification and explanation of image classifiers from first principles.

>>> import tenfold
>>> data = tenfold.load("digits")
>>> tuple(data.images.shape), data.class_names[3]
((1797, 1, 8, 8), '3')
"""

__all__ = [
    "Dataset",
    "Finished",
    "HardMarginClassifier",
    "TenfoldError",
    "TrainedModel",
    "fit",
    "load",
    "load_model",
    "probabilities",
    "resume",
    "sweep",
    "trace",
    "train",
]

import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenfold.errors import TenfoldError

if TYPE_CHECKING:
    from tenfold.data.load import load
    from tenfold.data.types import Dataset
    from tenfold.estimators.hard_margin import HardMarginClassifier
    from tenfold.runs.events import Event
    from tenfold.sessions import Finished, resume
    from tenfold.teach.trace.api import trace
    from tenfold.trained.model import TrainedModel, load_model, probabilities

# A thread that waits for another one spins. With libgomp's default of 300,000 turns, waiting threads starve the thread
# that they wait for as soon as another program runs (measured: 10 times slower). torch reads it on its first import.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

_HOMES = {
    "Dataset": "data.types",
    "Finished": "sessions",
    "HardMarginClassifier": "estimators.hard_margin",
    "TrainedModel": "trained.model",
    "load": "data.load",
    "load_model": "trained.model",
    "probabilities": "trained.model",
    "resume": "sessions",
    "trace": "teach.trace.api",
}


def train(
    data: str | Path = "digits",
    *,
    out: str | Path = "",
    data_dir: str = "",
    watch: "Callable[[Event], None] | None" = None,
    **choices: Any,
) -> "Finished":
    """Train one model, or a population where a choice is a list, as `tenfold train` does.

    data: name of a data set, folder of images, or .npz file. out: run folder to create. choices: fields of Recipe, such
    as model="mlp", learning_rate=[0.01, 0.1]. Raises UsageError for an unknown choice, DataError for unusable data.
    """
    return _run({"data": str(data), **choices}, out, data_dir, watch)


def fit(
    data: str | Path = "digits",
    *,
    minutes: float = 10,
    out: str | Path = "",
    data_dir: str = "",
    watch: "Callable[[Event], None] | None" = None,
    **choices: Any,
) -> "Finished":
    """Train a ladder of models within some minutes and keep the best, as `tenfold fit` does.

    Takes the arguments of `train`. Returns the finished run: `.result` holds its scores, `.model` the best model.
    """
    from tenfold.runs.ladder import DEFAULTS

    return _run({**DEFAULTS, "data": str(data), "minutes": minutes, **choices}, out, data_dir, watch)


def sweep(
    data: str | Path = "digits",
    *,
    jobs: int = 1,
    cluster: str = "",
    out: str | Path = "",
    data_dir: str = "",
    watch: "Callable[[Event], None] | None" = None,
    **choices: Any,
) -> "Finished":
    """Search many settings, then train the best one again, as `tenfold sweep` does.

    choices: fields of Recipe; a list of values, or a range as text, is searched: learning_rate="1e-4:1e-1:log",
    l2=[0, "1e-4:1:log"], members=64, folds=5. jobs: number of worker processes. cluster: address of a Dask scheduler.
    Returns the finished run: its `.table` holds the ranked members and converts to pandas.
    """
    from tenfold.search.request import requested
    from tenfold.sessions import begin

    return begin(
        requested({"data": str(data), **choices}), str(out), data_dir, watch or (lambda event: None), jobs, cluster
    )


def _run(
    choices: dict[str, Any], out: str | Path, data_dir: str, watch: "Callable[[Event], None] | None"
) -> "Finished":
    from tenfold.choices import recipe
    from tenfold.sessions import begin

    return begin(recipe(choices), str(out), data_dir, watch or (lambda event: None))


def __getattr__(name: str) -> Any:
    """Import a public name on its first use, so that `import tenfold` is quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'tenfold' has no attribute {name!r}")
    return getattr(importlib.import_module(f"tenfold.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """List the public names, those too that are imported on their first use."""
    return sorted([*__all__, "__all__", "__doc__", "__file__", "__name__", "__path__", "__spec__"])
