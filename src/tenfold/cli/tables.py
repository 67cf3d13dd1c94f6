"""Results on stdout: tables of at most 80 columns in a pipe, where a path stays one unbroken line to copy."""

__all__ = [
    "print_data_info",
    "print_data_list",
    "print_evaluation",
    "print_fit",
    "print_predictions",
    "print_text",
    "print_train",
]

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

from tenfold.cli.display import inert

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_ROWS = 20
_SETTINGS = 3
_ABSENT = "–"
_FINISHED = "finished"
_WIDTH = 80


def print_fit(result: Mapping[str, Any]) -> None:
    """What `fit` found: the best rung, its scores on validation and test images, all rungs, all classes."""
    _print_paths(result)
    _print(_facts(_fit_facts(result)))
    _print(_rungs(result["rungs"], result.get("metric")))
    classes = result["test"].get("per_class") or ()
    if classes:
        _print(_classes(classes, "test"))
        _say_more(len(classes), "classes")
    _print_end(result)
    _echo(f"{'report':<10}  {inert(str(result['report']))}")


def print_train(result: Mapping[str, Any]) -> None:
    """What `train` found: one member's scores on each part, or the members of a population, best first."""
    members, best = result["members"], result.get("best")
    if best is not None and members[best].get("failed"):
        best = None
    _print_paths(result)
    if len(members) == 1:
        _print(_facts([("settings", _settings(members[0]["settings"])), ("outcome", _outcome(members[0]))]))
        _print(_parts(members[0]))
    else:
        _print(_facts(_population_facts(members, best)))
        _print(_population(members, best))
        _say_more(len(members), "members")
    speed = result.get("images_per_second")
    _print_end(result, f", {speed:,.0f} images × members a second" if _known(speed) else "")


def print_evaluation(result: Mapping[str, Any]) -> None:
    """What `evaluate` measured on one part of labeled data."""
    trained = ", held out when the model was trained" if result["same_data"] and result["part"] == "test" else ""
    _print(
        _facts([("data", f"{result['data']}, {result['part']}{trained}"), ("", _tested(result)), ("", _macro(result))])
    )
    _print(_classes(result["per_class"], result["part"]))
    _say_more(len(result["per_class"]), "classes")
    _print_notes(result)


def print_predictions(result: Mapping[str, Any]) -> None:
    """The three likeliest classes of each image, a line each."""
    for row in result["predictions"]:
        ranked = sorted(zip(row["probabilities"], result["class_names"], strict=True), key=lambda pair: -pair[0])[:3]
        told = "  ".join(f"{_name(name)} {_percent(share)} %" for share, name in ranked)
        _echo(f"{inert(row['file'])}: {told}")


def print_data_list(result: Mapping[str, Any]) -> None:
    """Every named data set and where it lies."""
    for row in result["data"]:
        place = inert(row["place"]) or f"not here; `tenfold data fetch {row['name']}` downloads it"
        _echo(f"{row['name']:<14} {place}")


def print_data_info(result: Mapping[str, Any]) -> None:
    """What one data set holds."""
    channels, height, width = result["shape"]
    parts = ", ".join(f"{name} {count}" for name, count in result["parts"].items()) or "none of its own"
    _print(
        _facts(
            [
                ("data", str(result["data"])),
                ("images", f"{result['images']}, {channels} × {height} × {width}, {result['type']}"),
                ("parts", parts),
                ("fingerprint", str(result["fingerprint"])),
            ]
        )
    )
    table = _table("class", ["images"])
    for row in result["classes"][:_ROWS]:
        table.add_row(_name(row["class"]), str(row["n"]))
    _print(table)
    _say_more(len(result["classes"]), "classes")
    _print_notes(result)


def _fit_facts(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    test = result["test"]
    return [
        ("best rung", result["best"]["rung"]),
        ("settings", _settings(result["best"]["settings"])),
        ("validation", _validated(result)),
        *([("", result["runner_up"]["sentence"])] if result.get("runner_up") else []),
        ("test", _tested(test)),
        ("", _macro(test)),
        *_sure_facts(test),
    ]


def _validated(result: Mapping[str, Any]) -> str:
    """What the choice went by."""
    found = result["validation"]
    if result.get("metric") == "macro_f1":
        return f"macro F1 {_share(found.get('macro_f1'))}"
    return f"accuracy {_percent(found.get('accuracy'))} %"


def _sure_facts(test: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How far its probabilities can be trusted, and what the test images are worth that were not seen in training."""
    found, apart = test["calibration"], test.get("without_twins")
    told = f"calibration error {_percent(found['error'])} % (temperature {found['temperature']:.3g}"
    rows = [("", f"{told}; {_percent(found['uncalibrated_error'])} % without it)")]
    return rows + ([("", f"without twins of training images: {_tested(apart)}")] if apart else [])


def _population_facts(members: Sequence[Mapping[str, Any]], best: int | None) -> list[tuple[str, str]]:
    if best is None:
        return [("best", "none: no member has a validation accuracy")]
    chosen = members[best]
    varied = {name: chosen["settings"].get(name) for name in _varied(members)}
    return [
        ("best", f"member {best} of {len(members)}, by validation accuracy"),
        ("settings", _settings(varied)),
        ("validation", f"accuracy {_percent(chosen['validation'].get('accuracy'))} %"),
        ("test", _tested(chosen["test"])),
    ]


def _tested(test: Mapping[str, Any]) -> str:
    n = f", n = {test['n']}" if test.get("n") else ""
    return f"accuracy {_percent(test.get('accuracy'))} % (95 % interval {_interval(test.get('interval'))}{n})"


def _macro(scores: Mapping[str, Any]) -> str:
    words = ("precision", "recall", "F1")
    return "macro " + ", ".join(f"{word} {_share(scores.get(f'macro_{word.lower()}'))}" for word in words)


def _rungs(rungs: Iterable[Mapping[str, Any]], metric: str | None) -> "Table":
    balanced = metric == "macro_f1"
    judged = "validation\nmacro F1" if balanced else "validation\n%"
    table = _table("rung", ["members", judged, "test\n%", "95 %\ninterval", "macro\nF1", "seconds"])
    for rung in rungs:
        accuracy, macro_f1 = rung.get("validation_accuracy"), rung.get("validation_macro_f1")
        table.add_row(
            _name(rung["rung"]),
            str(rung["members"]),
            _share(macro_f1) if balanced else _percent(accuracy),
            _percent(rung.get("test_accuracy")),
            _interval(rung.get("test_interval")),
            _share(rung.get("macro_f1")),
            _number(rung.get("seconds"), ".1f"),
        )
    return table


def _classes(classes: Sequence[Mapping[str, Any]], part: str) -> "Table":
    table = _table("class" if part == "all" else f"class ({part})", ["images", "accuracy\n%", "precision", "F1"])
    for row in classes[:_ROWS]:
        # The share of a class's images that are found is its accuracy and its recall.
        found = row.get("accuracy", row.get("recall"))
        scores = [_percent(found), _share(row.get("precision")), _share(row.get("f1"))]
        table.add_row(_name(row["class"]), str(row["n"]), *scores)
    return table


def _parts(member: Mapping[str, Any]) -> "Table":
    table = _table("part", ["loss", "cost", "accuracy\n%", "95 %\ninterval"])
    for part in ("train", "validation", "test"):
        scores = member.get(part) or {}
        interval = _interval(scores["interval"]) if scores.get("interval") and _known(scores["accuracy"]) else ""
        losses = [_number(scores.get(name), ".4f") for name in ("loss", "cost")]
        table.add_row(part, *losses, _percent(scores.get("accuracy")), interval)
    return table


def _population(members: Sequence[Mapping[str, Any]], best: int | None) -> "Table":
    varied = _varied(members)
    # More settings than this do not fit beside the numbers and become text behind them.
    columns = varied if len(varied) <= _SETTINGS else []
    headers = [name.replace("_", "\n") for name in columns]
    table = _table("member", [*headers, "train\n%", "valid.\n%", "test\n%"], "" if columns else "settings")
    order = sorted(range(len(members)), key=lambda index: -_rank(members[index]))
    for index in order[:_ROWS]:
        member = members[index]
        settings = {name: member["settings"].get(name) for name in varied}
        scores = [_percent((member.get(part) or {}).get("accuracy")) for part in ("train", "validation", "test")]
        outcome = _outcome(member)
        notes = ["best"] * (index == best) + [outcome] * (outcome != _FINISHED)
        if columns:
            table.add_row(str(index), *map(_value, settings.values()), *scores, "; ".join(notes))
        else:
            table.add_row(str(index), *scores, "; ".join([*notes, _settings(settings)]))
    return table


def _varied(members: Sequence[Mapping[str, Any]]) -> list[str]:
    """Settings that are not the same for all members, in the order in which they first appear."""
    names = dict.fromkeys(name for member in members for name in member["settings"])
    return [name for name in names if len({repr(member["settings"].get(name)) for member in members}) > 1]


def _rank(member: Mapping[str, Any]) -> float:
    accuracy = (member.get("validation") or {}).get("accuracy")
    return float(accuracy) if _known(accuracy) else -math.inf


def _outcome(member: Mapping[str, Any]) -> str:
    failed, stopped = member.get("failed"), member.get("stopped")
    if failed:
        return inert(f"failed in step {failed['step']}: {failed['layer']} {failed['tensor']}")
    return f"stopped after step {stopped}" if stopped is not None else _FINISHED


def _known(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def _number(value: float | None, form: str) -> str:
    return format(value, form) if _known(value) else _ABSENT


def _percent(share: float | None) -> str:
    return _number(None if share is None else 100 * share, ".2f")


def _share(value: float | None) -> str:
    return _number(value, ".3f")


def _interval(bounds: Sequence[float] | None) -> str:
    return f"{_percent(bounds[0])} to {_percent(bounds[1])}" if bounds else _ABSENT


def _settings(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in settings.items()) or _ABSENT


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return "-".join(_value(part) for part in value) or "none"
    return _ABSENT if value is None else inert(str(value))


def _name(name: str, limit: int = 24) -> str:
    """A name from outside, short enough to leave the numbers their columns."""
    shown = inert(name) or "?"
    return shown if len(shown) <= limit else f"{shown[: limit - 8]}…{shown[-7:]}"


def _table(first: str, numbers: Sequence[str], text: str | None = None) -> "Table":
    """Columns of a name, numbers and, if text is given, words. Where the width does not suffice, numbers stay whole."""
    from rich import box
    from rich.table import Table

    look = box.SIMPLE_HEAD if sys.stdout.isatty() else None
    table = Table(box=look, padding=(0, 1), pad_edge=False, header_style="bold", show_edge=False)
    height = max(header.count("\n") for header in numbers)
    table.add_column("\n" * height + first, overflow="fold")
    for header in numbers:
        table.add_column("\n" * (height - header.count("\n")) + header, justify="right", no_wrap=True)
    if text is not None:
        table.add_column("\n" * height + text, overflow="fold")
    return table


def _facts(rows: Iterable[tuple[str, str]]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(min_width=10, style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, text in rows:
        grid.add_row(label, Text(inert(text)))
    return grid


def _print_paths(result: Mapping[str, Any]) -> None:
    """Outside the tables, which would break a long path into pieces."""
    for label in ("run", "model"):
        if result.get(label):
            _echo(f"{label:<10}  {inert(str(result[label]))}")


def _print_notes(result: Mapping[str, Any]) -> None:
    for note in result.get("notes") or ():
        _echo(f"note: {inert(note)}")


def _print_end(result: Mapping[str, Any], speed: str = "") -> None:
    _print_notes(result)
    _echo(f"{_number(result.get('seconds'), '.1f')} s{speed}")


def _say_more(total: int, what: str) -> None:
    if total > _ROWS:
        _echo(f"… and {total - _ROWS} more {what}")


def _print(shown: "RenderableType") -> None:
    """Followed by a blank line."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    # A narrower terminal breaks the lines by itself; a narrower table would lose its names.
    console.width = max(console.width, _WIDTH)
    with console.capture() as capture:
        console.print(shown)
    # Tables fill their columns with spaces, which nobody wants to paste.
    _echo("\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n")


def print_text(text: str) -> None:
    """With a question mark for what the terminal's encoding lacks, instead of a crash after hours of training."""
    import click

    encoding = sys.stdout.encoding or "utf-8"
    click.echo(text.encode(encoding, "replace").decode(encoding), nl=False)


def _echo(line: str) -> None:
    print_text(line + "\n")
