"""Model cards: a Markdown page beside every model file, on what the model is and is for, how good it is, and why.

After Mitchell et al. (2019), "Model Cards for Model Reporting". A card says only what the file and its run hold; what
was not measured is named as such. Neither Markdown nor HTML acts on the names that come from outside.
"""

__all__ = ["card", "write_cards"]

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tenfold.choices import applicable
from tenfold.data.batches import steps_per_epoch
from tenfold.files import write_text
from tenfold.recipe import OWNERS
from tenfold.runs.ensemble import ENSEMBLE
from tenfold.runs.result import FitResult, RungResult, RunResult, SweepResult, TrainResult
from tenfold.text import (
    ABSENT,
    count,
    finite,
    interval,
    markdown,
    metric_name,
    percent,
    rounded,
    score,
    setting,
    unequal,
)
from tenfold.trained.metrics import Brief, Calibration, ClassScores, Metrics
from tenfold.trained.model import TrainedModel, test_views, weights_sha256
from tenfold.trained.views import views_text

_RECIPE = (
    "optimizer",
    *(name for name, owner in OWNERS.items() if owner.field == "optimizer"),
    "schedule",
    *(name for name, owner in OWNERS.items() if owner.field == "schedule"),
    *(name for name, owner in OWNERS.items() if owner.field == "loss"),
    "batch_size",
    "sampling",
    "features",
    "standardize",
    "flip",
    "class_weight",
    "initializer",
    "l1",
    "clip_norm",
    "dropout",
    "patience",
    "precision",
    "seed",
)


def write_cards(folder: Path, models: Mapping[str, TrainedModel], result: RunResult) -> None:
    """Write `<model>.md` beside every model file of a run with this result. models: by rung. FileError if it cannot."""
    write_text(folder / "model.md", card(models[result.best_rung], result))
    for rung, trained in models.items():
        write_text(folder / "models" / f"{rung}.md", card(trained, result, f"{rung}.tenfold"))


def card(trained: TrainedModel, result: RunResult | None, file: str = "model.tenfold") -> str:
    """Return the page of a trained model, ending with a newline.

    result: that of its run, as in result.json; None where the run has none. The winner of another rung than the best
    gets the few scores that the result holds of it. file: the model file's name.
    """
    cause = trained.cause
    sections = (
        _model(trained, file),
        _purpose(trained),
        _data(cause.get("data", {}), result),
        _training(cause),
        _scores(cause, result),
        _use(trained, file),
        f"## Digest\n\nSHA-256 of the weights: `{weights_sha256(trained.params, 0)}`\n",
    )
    return "\n".join(sections)


def _text(content: object) -> str:
    """Return a text from outside as Markdown that is nothing but text; "?" where nothing is left of it."""
    return markdown(str(content)) or "?"


def _model(trained: TrainedModel, file: str) -> str:
    channels, height, width = trained.image_shape
    tone = {1: " (grey)", 3: " (color)"}.get(channels, "")
    rows = [
        ("File", f"`{file}`"),
        ("Rung", _text(trained.cause.get("rung", ABSENT))),
        ("Model", f"{_text(trained.room_name)}; {trained.model.describe()}"),
        ("Parameters", count(sum(map(math.prod, trained.model.shapes().values())))),
        ("Input", f"one image, {channels}{tone} × {height} × {width} (channels × height × width){_unequal(trained)}"),
        *_features(trained),
        ("Output", _output(trained)),
        ("Classes", ", ".join(map(_text, trained.class_names))),
        ("Loss", _text(trained.loss)),
        *_views(trained),
        *([("Temperature", _temperature(trained))] if trained.model.classes else []),
    ]
    name = trained.cause.get("data", {}).get("name", "unknown data")
    kind = "classifier" if trained.model.classes else "encoder"
    return f"# Image {kind} for {_text(name)}\n\n{_table(('', ''), rows)}"


def _output(trained: TrainedModel) -> str:
    if trained.model.classes:
        return f"a probability for each of {len(trained.class_names)} classes"
    return f"an embedding of {trained.cause['recipe']['embedding']} numbers; no classes"


def _temperature(trained: TrainedModel) -> str:
    reason = trained.cause.get("calibration", {}).get("reason")
    why = _text(reason) if reason else "scores are divided by it before they become probabilities"
    return f"{trained.temperature:.4g} ({why})"


def _unequal(trained: TrainedModel) -> str:
    """Say what becomes of pictures of unequal sides, so that others are prepared alike."""
    data = trained.cause.get("data", {})
    return unequal(data.get("unequal"), str(data.get("framing", "squash")))


def _views(trained: TrainedModel) -> list[tuple[str, str]]:
    said = views_text(*test_views(trained))
    return [("Scores", said)] if said else []


def _features(trained: TrainedModel) -> list[tuple[str, str]]:
    if trained.features == "pixels":
        return []
    return [("Features", f"{_text(trained.features)}: {count(len(trained.factor))} numbers for each image")]


def _purpose(trained: TrainedModel) -> str:
    name, classes = _text(trained.cause.get("data", {}).get("name", "its data")), len(trained.class_names)
    if not trained.model.classes:
        return f"""## What it is for, and what it is not for

It turns an image into numbers that lie near each other for images that belong together, as in {name}: something to
train a small classifier on, to search or to draw a map with. It names no class. The accuracies below are those of a
vote of the nearest training images.

- For images of another origin (camera, size, lighting, cropping, population) the figures below promise nothing.
- What its training images lack, or repeat, its distances do, too. Nearness is no evidence that two images show the same
  person or thing, and must not decide about people.
"""
    return f"""## What it is for, and what it is not for

It says which of {classes} classes an image most likely shows, for images made and prepared like those of {name}.

- It knows these {classes} classes and no other. Shown anything else, it still names one of them, sometimes with great
  confidence: its probabilities compare the known classes and do not say whether an image shows any of them.
- For images of another origin (camera, size, lighting, cropping, population) the figures below promise nothing. Measure
  it on labeled images of that origin first (`tenfold evaluate`).
- Without such evidence, and without a person who can overrule it, it must not decide about people: health, safety,
  access, work, credit or the law.
- It repeats what its training images hold, errors in their labels and groups that they lack included. What is not in
  them was not measured either.
"""


def _data(data: Mapping[str, Any], result: RunResult | None) -> str:
    images = data.get("images") or {}
    rows = [
        ("Name", _text(data.get("name", ABSENT))),
        ("Fingerprint", _text(data.get("fingerprint", ABSENT))),
        *((f"Images, {_text(part)}", count(n)) for part, n in images.items()),
    ]
    remarks = [_text(note) for note in (*result.warnings, *result.notes)] if result else []
    listed = "".join(f"- {line}\n" for line in remarks)
    return f"## Data\n\n{_table(('', ''), rows)}" + (f"\nRemarks on the data:\n\n{listed}" if remarks else "")


def _training(cause: Mapping[str, Any]) -> str:
    recipe, settings = applicable(cause.get("recipe", {})), cause.get("settings", {})
    rows = [(name, _value(value)) for name, value in settings.items()]
    others = [name for name in _RECIPE if name in recipe and name not in settings]
    rows += [(name, _value(recipe[name], ", ")) for name in others]
    images = (cause.get("data", {}).get("images") or {}).get("train")
    if cause.get("steps") is not None and images and recipe.get("batch_size"):
        epochs = cause["steps"] / steps_per_epoch(images, recipe["batch_size"])
        rows.append(("weights from", f"step {count(cause['steps'])}, epoch {epochs:.4g}"))
    rows.append(("tenfold", _text(cause.get("version", ABSENT))))
    metric = metric_name("macro_f1" if recipe.get("metric") == "macro_f1" else "accuracy")
    chosen = f"\nOf the settings that its rung tried, it is the best by validation {metric}.\n"
    if cause.get("rung") == ENSEMBLE:
        rows = rows[: len(settings)]
        chosen = f"\nIts models and their shares of the mean were selected by validation {metric}.\n"
    return f"## How it was trained\n\n{_table(('Setting', 'Value'), rows)}{chosen}"


def _scores(cause: Mapping[str, Any], result: RunResult | None) -> str:
    if result is None:
        body = f"{_own_validation(cause)}It was not scored on its test images.\n"
    elif cause.get("rung") == result.best_rung:
        body = _best_scores(result)
    else:
        body = _rung_scores(cause, result)
    return f"## What it reaches\n\n{body}"


def _own_validation(cause: Mapping[str, Any]) -> str:
    scores = cause.get("validation") or {}
    metrics = [metric for metric in ("accuracy", "macro_f1") if metric in scores]
    return "".join(f"Validation {metric_name(metric)}: {score(scores[metric], metric, ' %')}.\n" for metric in metrics)


def _best_scores(result: RunResult) -> str:
    test = result.test
    columns: list[tuple[str, Brief | Metrics]] = [("validation", _validation(result))]
    columns += [("test", test)] if test else []
    table = _table(("", *(name for name, _ in columns)), _score_rows([column for _, column in columns]))
    if not test:
        return (
            f"{table}\nThe run was stopped: it was not scored on its test images. Validation images selected the "
            "model, so these\nscores are too high.\n"
        )
    how = "The validation images selected the model; the test images were scored once, after that."
    return f"{table}\n{how}\n" + _apart(test.without_twins) + _classes(test.per_class)


def _validation(result: RunResult) -> Brief:
    """Return the scores on validation images; a sweep has a mean over its runs instead."""
    return result.validation if isinstance(result, TrainResult | FitResult) else _of_sweep(result)


def _of_sweep(result: RunResult) -> Brief:
    return Brief(interval=result.validation.interval) if isinstance(result, SweepResult) else Brief()


def _apart(brief: Brief | None) -> str:
    if not brief:
        return ""
    return (
        "\nSome test images have a twin (the same picture, or nearly) among the training images. Without them:\n"
        f"accuracy {_percent(brief.accuracy)} (95 % interval {_span(brief.interval)}, n = {count(brief.n)}), "
        f"macro F1 {rounded(brief.macro_f1)}.\n"
    )


def _score_rows(columns: Sequence[Brief | Metrics]) -> list[tuple[str, ...]]:
    """Return a row for every score that any part has."""
    forms: tuple[tuple[str, Callable[[Brief | Metrics], str]], ...] = (
        ("images", lambda scores: count(scores.n)),
        ("accuracy", lambda scores: _percent(scores.accuracy)),
        ("95 % interval", lambda scores: _span(scores.interval)),
        ("macro F1", lambda scores: rounded(scores.macro_f1)),
        ("95 % interval of it", lambda scores: interval(getattr(scores, "macro_f1_interval", None), rounded)),
        ("classes that it leaves out", lambda scores: count(scores.absent or None)),
        ("expected calibration error", lambda scores: _percent((scores.calibration or Calibration()).error)),
        ("… without temperature", lambda scores: _percent((scores.calibration or Calibration()).uncalibrated_error)),
    )
    rows = [(name, *(form(scores) for scores in columns)) for name, form in forms]
    return [row for row in rows if set(row[1:]) != {ABSENT}]


def _classes(rows: Iterable[ClassScores]) -> str:
    header = ("Class (test)", "images", "recall", "95 % interval", "precision", "F1")
    cells = [
        (
            _text(row.class_),
            count(row.n),
            _percent(row.recall) if row.n else ABSENT,
            _span(row.recall_interval) if row.n else ABSENT,
            rounded(row.precision),
            rounded(row.f1),
        )
        for row in rows
    ]
    legend = "Recall: share of the images of a class that the model assigns to it."
    return f"\n{_table(header, cells)}\n{legend}\n" if cells else ""


def _rung_scores(cause: Mapping[str, Any], result: RunResult) -> str:
    """Return the scores of a rung that is not the best, from the result's table of rungs."""
    rungs = result.rungs if isinstance(result, FitResult) else ()
    rung = next((row for row in rungs if row.rung == cause.get("rung")), None)
    row = rung or RungResult("")
    rows = [
        ("validation accuracy", _percent(row.validation_accuracy)),
        ("test accuracy", _percent(row.test_accuracy)),
        ("95 % interval", _span(row.test_interval)),
        ("test macro F1", rounded(row.macro_f1)),
        ("expected calibration error, test", _percent(row.calibration_error)),
    ]
    body = _table(("", ""), [row for row in rows if row[1] != ABSENT]) if rung else _own_validation(cause)
    if row.test_accuracy is None:
        body += "\nIt was not scored on its test images.\n"
    if rung:
        body += f"\nBy validation, {_text(result.best_rung)} of the same run is better, or as good and came first.\n"
    return body


def _use(trained: TrainedModel, file: str) -> str:
    if not trained.model.classes:
        return f"""## How to use it

```sh
tenfold probe {file}               # a linear classifier on its embeddings
tenfold probe {file} --head knn    # or a vote of the nearest training images
```
"""
    channels, height, width = trained.image_shape
    shell = f"tenfold evaluate {file} DATA   # labeled images: a data set's name, a folder, or an .npz\n"
    asked = ""
    if channels in (1, 3) and height == width:
        asked = 'answer = model.predict("picture.jpg")  # or an image of Pillow\'s, an array, several of them\n'
        shell = f"tenfold predict {file} IMAGE…  # image files or folders\n{shell}"
    return f"""## How to use it

```sh
{shell}```

```python
import tenfold

model = tenfold.load_model("{file}")
{asked}# images: a tensor (N, {channels}, {height}, {width}); a pixel times {trained.scale:.6g} lies between 0 and 1
shares = tenfold.probabilities(model, images)  # (N, {len(trained.class_names)}), in the order of model.class_names
```
"""


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells that are Markdown already."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _value(value: object, between: str = "-") -> str:
    return markdown(setting(value, between=between))


def _percent(share: float | None) -> str:
    return percent(share, " %")


def _span(bounds: Sequence[float | None] | None) -> str:
    """Return an interval in percent, with the sign after its end."""
    return interval(bounds) + " %" * bool(bounds and all(map(finite, bounds)))
