"""The Markdown page beside every model file: what the model is, what it is for, how good it is, and how that is known.

After Mitchell et al. (2019), "Model Cards for Model Reporting". It says only what the file and its run hold: what was
not measured is named as such. Names that come from outside are written so that neither Markdown nor HTML acts on them.
"""

__all__ = ["card", "write_cards"]

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tenfold.data.batches import steps_per_epoch
from tenfold.files import write_text
from tenfold.recipe import OWNERS
from tenfold.runs.result import FitResult, RungResult, RunResult, SweepResult, TrainResult
from tenfold.search.axes import applicable
from tenfold.trained.metrics import Brief, Calibration, ClassScores, Metrics
from tenfold.trained.model import TrainedModel, weights_sha256

# What Markdown, its tables, its automatic links or HTML would act on. As entities they are text in all of them.
_ACTIVE = {ord(letter): f"&#{ord(letter)};" for letter in '&<>|`*_[]{}\\#~$^@:!"'}
_ABSENT = "–"
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
    """Write the page of a trained model, ending with a newline. result: of its run; None: not known.

    A winner of another rung than the run's best tells the little that the result holds of it. file: the model's name.
    """
    cause = trained.cause
    sections = (
        _what(trained, file),
        _purpose(trained),
        _data(cause.get("data", {}), result),
        _training(cause),
        _reached(cause, result),
        _use(trained, file),
        f"## Digest\n\nSHA-256 of the weights: `{weights_sha256(trained.params, 0)}`\n",
    )
    return "\n".join(sections)


def _inert(text: object) -> str:
    """A text from outside as one line that is nothing but text: controls and direction marks dropped, the rest escaped.

    >>> _inert("cat|<b>\\n[x](y)\\u202e")
    'cat&#124;&#60;b&#62; &#91;x&#93;(y)'
    """
    spaced = " ".join(str(text).split())
    shown = "".join(letter for letter in spaced if unicodedata.category(letter)[0] != "C")
    # A colon before a space starts neither a link nor an emoji.
    return shown.translate(_ACTIVE).replace("www.", "www&#46;").replace("&#58; ", ": ") or "?"


def _what(trained: TrainedModel, file: str) -> str:
    channels, height, width = trained.image_shape
    tone = {1: " (grey)", 3: " (color)"}.get(channels, "")
    rows = [
        ("File", f"`{file}`"),
        ("Rung", _inert(trained.cause.get("rung", _ABSENT))),
        ("Model", f"{_inert(trained.room_name)}; {trained.model.describe()}"),
        ("Parameters", f"{sum(tensor.numel() for tensor in trained.params.values()):,}"),
        ("Input", f"one image, {channels}{tone} × {height} × {width} (channels × height × width)"),
        *_sees(trained),
        ("Output", f"a probability for each of {len(trained.class_names)} classes"),
        ("Classes", ", ".join(map(_inert, trained.class_names))),
        ("Loss", _inert(trained.loss)),
        ("Temperature", f"{trained.temperature:.4g} (scores are divided by it before they become probabilities)"),
    ]
    name = trained.cause.get("data", {}).get("name", "unknown data")
    return f"# Image classifier for {_inert(name)}\n\n{_table(('', ''), rows)}"


def _sees(trained: TrainedModel) -> list[tuple[str, str]]:
    if trained.features == "pixels":
        return []
    return [("Features", f"{_inert(trained.features)}: {len(trained.factor):,} numbers of an image")]


def _purpose(trained: TrainedModel) -> str:
    name, count = _inert(trained.cause.get("data", {}).get("name", "its data")), len(trained.class_names)
    return f"""## What it is for, and what it is not for

It says which of {count} classes an image most likely shows, for images made and prepared like those of {name}.

- It knows these {count} classes and no other. Shown anything else, it still names one of them, sometimes with great
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
        ("Name", _inert(data.get("name", _ABSENT))),
        ("Fingerprint", _inert(data.get("fingerprint", _ABSENT))),
        *((f"Images, {_inert(part)}", f"{count:,}") for part, count in images.items()),
    ]
    told = [_inert(note) for note in (*result.warnings, *result.notes)] if result else []
    listed = "".join(f"- {line}\n" for line in told)
    return f"## Data\n\n{_table(('', ''), rows)}" + (f"\nWhat was found in them:\n\n{listed}" if told else "")


def _training(cause: Mapping[str, Any]) -> str:
    recipe, settings = applicable(cause.get("recipe", {})), cause.get("settings", {})
    rows = [(name, _value(value)) for name, value in settings.items()]
    rows += [(name, _value(recipe[name])) for name in _RECIPE if name in recipe and name not in settings]
    count = (cause.get("data", {}).get("images") or {}).get("train")
    if cause.get("steps") is not None and count and recipe.get("batch_size"):
        epochs = cause["steps"] / steps_per_epoch(count, recipe["batch_size"])
        rows.append(("weights from", f"update {cause['steps']:,}, epoch {epochs:.4g}"))
    rows.append(("tenfold", _inert(cause.get("version", _ABSENT))))
    metric = {"macro_f1": "macro F1"}.get(recipe.get("metric", ""), "accuracy")
    chosen = f"\nOf the settings that its rung tried, it is the best by validation {metric}.\n"
    return f"## How it was trained\n\n{_table(('Setting', 'Value'), rows)}{chosen}"


def _reached(cause: Mapping[str, Any], result: RunResult | None) -> str:
    if result is None:
        body = f"{_own_validation(cause)}Its test images were not looked at.\n"
    elif cause.get("rung") == result.best_rung:
        body = _best_scores(result)
    else:
        body = _rung_scores(cause, result)
    return f"## What it reaches\n\n{body}"


def _own_validation(cause: Mapping[str, Any]) -> str:
    known = cause.get("validation") or {}
    told = {"accuracy": ("accuracy", _percent), "macro_f1": ("macro F1", _share)}
    return "".join(f"Validation {told[name][0]}: {told[name][1](known[name])}.\n" for name in told if name in known)


def _best_scores(result: RunResult) -> str:
    test = result.test
    columns: list[tuple[str, Brief | Metrics]] = [("validation", _validation(result))]
    columns += [("test", test)] if test else []
    scores = _table(("", *(name for name, _ in columns)), _score_rows([column for _, column in columns]))
    if not test:
        return (
            f"{scores}\nThe run was stopped: its test images were not looked at. Validation images chose the model, so "
            "these\nfigures flatter it.\n"
        )
    text = f"{scores}\nThe model was chosen by the validation images; the test images were scored once, after that.\n"
    return text + _apart(test.without_twins) + _classes(test.per_class)


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
        "accuracy "
        f"{_percent(brief.accuracy)} (95 % interval {_span(brief.interval)}, n = {_count(brief.n)}), "
        f"macro F1 {_share(brief.macro_f1)}.\n"
    )


def _score_rows(columns: Sequence[Brief | Metrics]) -> list[tuple[str, ...]]:
    """Return a row for every score that any part has."""
    shown: tuple[tuple[str, Callable[[Brief | Metrics], str]], ...] = (
        ("images", lambda scores: _count(scores.n)),
        ("accuracy", lambda scores: _percent(scores.accuracy)),
        ("95 % interval", lambda scores: _span(scores.interval)),
        ("macro F1", lambda scores: _share(scores.macro_f1)),
        ("95 % interval of it", lambda scores: _span(getattr(scores, "macro_f1_interval", None), _share)),
        ("expected calibration error", lambda scores: _percent((scores.calibration or Calibration()).error)),
        ("… without temperature", lambda scores: _percent((scores.calibration or Calibration()).uncalibrated_error)),
    )
    rows = [(name, *(format_of(scores) for scores in columns)) for name, format_of in shown]
    return [row for row in rows if set(row[1:]) != {_ABSENT}]


def _classes(rows: Iterable[ClassScores]) -> str:
    header = ("Class (test)", "images", "recall", "95 % interval", "precision", "F1")
    cells = [
        (
            _inert(row.class_),
            _count(row.n),
            _percent(row.recall) if row.n else _ABSENT,
            _span(row.recall_interval) if row.n else _ABSENT,
            _share(row.precision),
            _share(row.f1),
        )
        for row in rows
    ]
    return f"\n{_table(header, cells)}\nRecall: share of the images of a class that are found.\n" if cells else ""


def _rung_scores(cause: Mapping[str, Any], result: RunResult) -> str:
    """Say of a rung that is not the best what the table of the rungs says."""
    rungs = result.rungs if isinstance(result, FitResult) else ()
    rung = next((row for row in rungs if row.rung == cause.get("rung")), None)
    row = rung or RungResult("")
    rows = [
        ("validation accuracy", _percent(row.validation_accuracy)),
        ("test accuracy", _percent(row.test_accuracy)),
        ("95 % interval", _span(row.test_interval)),
        ("test macro F1", _share(row.macro_f1)),
        ("expected calibration error, test", _percent(row.calibration_error)),
    ]
    text = _table(("", ""), [row for row in rows if row[1] != _ABSENT]) if rung else _own_validation(cause)
    if row.test_accuracy is None:
        text += "\nIts test images were not looked at.\n"
    if rung:
        text += f"\nBy validation, {_inert(result.best_rung)} of the same run is better, or as good and came first.\n"
    return text


def _use(trained: TrainedModel, file: str) -> str:
    channels, height, width = trained.image_shape
    shell = f"tenfold evaluate {file} DATA   # labeled images: a data set's name, a folder, or an .npz\n"
    if channels in (1, 3) and height == width:
        shell = f"tenfold predict {file} IMAGE…  # image files or folders\n{shell}"
    return f"""## How to use it

```sh
{shell}```

```python
import tenfold
from tenfold.trained.model import probabilities

model = tenfold.load_model("{file}")
# images: a tensor (N, {channels}, {height}, {width}); a pixel times {trained.scale:.6g} lies between 0 and 1
shares = probabilities(model, images)  # (N, {len(trained.class_names)}), in the order of model.class_names
```
"""


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are inert already."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        return "-".join(map(_value, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else _inert(value)


def _count(n: int | None) -> str:
    return _ABSENT if n is None else f"{n:,}"


def _percent(share: float | None) -> str:
    return _ABSENT if share is None else f"{100 * share:.2f} %"


def _share(value: float | None) -> str:
    return _ABSENT if value is None else f"{value:.3f}"


def _span(bounds: Sequence[float | None] | None, tell: Callable[[float | None], str] = _percent) -> str:
    return f"{tell(bounds[0])} to {tell(bounds[1])}" if bounds and None not in bounds else _ABSENT
