"""Results of `fit`, `train`, `evaluate` and `data` as text on stdout."""

__all__ = [
    "print_data_info",
    "print_data_list",
    "print_evaluation",
    "print_fit",
    "print_train",
    "tested",
]

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tenfold.cli import layout
from tenfold.text import (
    count,
    finite,
    inert,
    interval,
    left_out,
    metric_name,
    number,
    percent,
    rounded,
    score,
    setting,
    settings,
    short,
    unequal,
)

if TYPE_CHECKING:
    from rich.table import Table

_SETTINGS = 3
_FINISHED = "finished"


def print_fit(result: Mapping[str, Any]) -> None:
    """Print the result of `fit`: the best rung, its scores on validation and test images, all rungs, all classes."""
    layout.show_paths(result)
    layout.show(layout.facts(_fit_facts(result)))
    layout.show(_rungs(result["rungs"], result.get("metric")))
    classes = result["test"].get("per_class") or ()
    if classes:
        layout.show(_classes(classes, "test"))
        layout.say_more(len(classes), "classes")
    layout.show_end(result)
    layout.echo(f"{'report':<10}  {inert(str(result['report']))}")


def print_train(result: Mapping[str, Any]) -> None:
    """Print the result of `train`: one member's scores on each part, or the members of a population, best first."""
    members, best = result["members"], result.get("best")
    if best is not None and members[best].get("failed"):
        best = None
    layout.show_paths(result)
    if len(members) == 1:
        layout.show(layout.facts([("settings", settings(members[0]["settings"])), ("outcome", _outcome(members[0]))]))
        layout.show(_parts(members[0]))
    else:
        layout.show(layout.facts([*_ensemble_facts(result), *_population_facts(members, best)]))
        layout.show(_population(members, best))
        layout.say_more(len(members), "members")
    speed = result.get("images_per_second")
    layout.show_end(result, f", {count(speed)} images × members a second" if finite(speed) else "")


def print_evaluation(result: Mapping[str, Any]) -> None:
    """Print the scores of `evaluate` on one part of labeled data."""
    trained = ", held out when the model was trained" if result["same_data"] and result["part"] == "test" else ""
    layout.show(
        layout.facts(
            [("data", f"{result['data']}, {result['part']}{trained}"), ("", tested(result)), ("", _macro(result))]
        )
    )
    layout.show(_classes(result["per_class"], result["part"]))
    layout.say_more(len(result["per_class"]), "classes")
    layout.show_notes(result)


def print_data_list(result: Mapping[str, Any]) -> None:
    """Print every named data set and its place on this machine."""
    for row in result["data"]:
        place = inert(row["place"]) or f"not here; `tenfold data fetch {row['name']}` downloads it"
        layout.echo(f"{row['name']:<14} {place}")


def print_data_info(result: Mapping[str, Any]) -> None:
    """Print the shape, parts, fingerprint and classes of a data set."""
    channels, height, width = result["shape"]
    shape = f"{channels} × {height} × {width}{unequal(result['unequal'], result['framing'])}"
    parts = ", ".join(f"{name} {n}" for name, n in result["parts"].items()) or "none of its own"
    layout.show(
        layout.facts(
            [
                ("data", str(result["data"])),
                ("images", f"{result['images']}, {shape}, {result['type']}"),
                ("parts", parts),
                ("fingerprint", str(result["fingerprint"])),
                *([("figure", str(result["figure"]))] if "figure" in result else []),
            ]
        )
    )
    table = layout.table("class", ["images"])
    for row in result["classes"][: layout.ROWS]:
        table.add_row(short(row["class"]), str(row["n"]))
    layout.show(table)
    layout.say_more(len(result["classes"]), "classes")
    layout.show_notes(result)


def _fit_facts(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    test = result["test"]
    return [
        ("best rung", result["best"]["rung"]),
        ("settings", settings(result["best"]["settings"])),
        ("validation", _validated(result)),
        *([("", result["runner_up"]["sentence"])] if result.get("runner_up") else []),
        ("test", tested(test)),
        ("", _macro(test)),
        *_sure_facts(test),
    ]


def _validated(result: Mapping[str, Any]) -> str:
    """Return the validation score that selected the best rung."""
    metric = result.get("metric") or "accuracy"
    return f"{metric_name(metric)} {score(result['validation'].get(metric), metric, ' %')}"


def _sure_facts(test: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return lines about calibration, and about the test images that have no twin in training."""
    calibration, apart = test["calibration"], test.get("without_twins")
    before = calibration.get("reason") or f"{percent(calibration['uncalibrated_error'])} % without it"
    error = f"calibration error {percent(calibration['error'])} %"
    rows = [("", f"{error} (temperature {setting(calibration['temperature'], 3)}; {before})")]
    return rows + ([("", f"without twins of training images: {tested(apart)}")] if apart else [])


def _ensemble_facts(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return lines about the ensemble, where it is what the run keeps."""
    (shares,) = result.get("settings", {}).get("ensemble") or ({},)
    if not shares:
        return []
    return [
        ("kept", f"the ensemble, a mean of {count(len(shares), 'member')}"),
        ("validation", _validated(result)),
        ("test", tested(result["test"])),
    ]


def _population_facts(members: Sequence[Mapping[str, Any]], best: int | None) -> list[tuple[str, str]]:
    if best is None:
        return [("best", "none: no member has a validation accuracy")]
    chosen = members[best]
    varied = {name: chosen["settings"].get(name) for name in _varied(members)}
    return [
        ("best", f"member {best} of {len(members)}, by validation accuracy"),
        ("settings", settings(varied)),
        ("validation", f"accuracy {percent(chosen['validation'].get('accuracy'), ' %')}"),
        ("test", tested(chosen["test"])),
    ]


def tested(test: Mapping[str, Any]) -> str:
    """Return the accuracy on the test images with its interval."""
    n = f", n = {test['n']}" if test.get("n") else ""
    return f"accuracy {percent(test.get('accuracy'), ' %')} (95 % interval {interval(test.get('interval'))}{n})"


def _macro(scores: Mapping[str, Any]) -> str:
    words = ("precision", "recall", "F1")
    listed = ", ".join(f"{word} {rounded(scores.get(f'macro_{word.lower()}'))}" for word in words)
    without = left_out(scores.get("absent"))
    return f"macro {listed}" + (f" ({without})" if without else "")


def _rungs(rungs: Iterable[Mapping[str, Any]], metric: str | None) -> "Table":
    balanced = metric == "macro_f1"
    judged = "validation\nmacro F1" if balanced else "validation\n%"
    table = layout.table("rung", ["members", judged, "test\n%", "95 %\ninterval", "macro\nF1", "seconds"])
    for rung in rungs:
        accuracy, macro_f1 = rung.get("validation_accuracy"), rung.get("validation_macro_f1")
        table.add_row(
            short(rung["rung"]),
            str(rung["members"]),
            rounded(macro_f1) if balanced else percent(accuracy),
            percent(rung.get("test_accuracy")),
            interval(rung.get("test_interval")),
            rounded(rung.get("macro_f1")),
            number(rung.get("seconds"), ".1f"),
        )
    return table


def _classes(classes: Sequence[Mapping[str, Any]], part: str) -> "Table":
    table = layout.table("class" if part == "all" else f"class ({part})", ["images", "accuracy\n%", "precision", "F1"])
    for row in classes[: layout.ROWS]:
        # The accuracy of a class is its recall.
        recall = row.get("accuracy", row.get("recall")) if row["n"] else None
        scores = [percent(recall), rounded(row.get("precision")), rounded(row.get("f1"))]
        table.add_row(short(row["class"]), str(row["n"]), *scores)
    return table


def _parts(member: Mapping[str, Any]) -> "Table":
    table = layout.table("part", ["loss", "cost", "accuracy\n%", "95 %\ninterval"])
    for part in ("train", "validation", "test"):
        scores = member.get(part) or {}
        bounds = interval(scores["interval"]) if scores.get("interval") and finite(scores["accuracy"]) else ""
        losses = [number(scores.get(name), ".4f") for name in ("loss", "cost")]
        table.add_row(part, *losses, percent(scores.get("accuracy")), bounds)
    return table


def _population(members: Sequence[Mapping[str, Any]], best: int | None) -> "Table":
    varied = _varied(members)
    # More settings than this do not fit beside the numbers and become text behind them.
    columns = varied if len(varied) <= _SETTINGS else []
    headers = [name.replace("_", "\n") for name in columns]
    table = layout.table("member", [*headers, "train\n%", "valid.\n%", "test\n%"], "" if columns else "settings")
    order = sorted(range(len(members)), key=lambda index: -_rank(members[index]))
    for index in order[: layout.ROWS]:
        member = members[index]
        chosen = {name: member["settings"].get(name) for name in varied}
        scores = [percent((member.get(part) or {}).get("accuracy")) for part in ("train", "validation", "test")]
        outcome = _outcome(member)
        notes = ["best"] * (index == best) + [outcome] * (outcome != _FINISHED)
        if columns:
            table.add_row(str(index), *map(setting, chosen.values()), *scores, "; ".join(notes))
        else:
            table.add_row(str(index), *scores, "; ".join([*notes, settings(chosen)]))
    return table


def _varied(members: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the settings that differ between members, in the order in which they first appear."""
    names = dict.fromkeys(name for member in members for name in member["settings"])
    return [name for name in names if len({repr(member["settings"].get(name)) for member in members}) > 1]


def _rank(member: Mapping[str, Any]) -> float:
    accuracy = (member.get("validation") or {}).get("accuracy")
    return float(accuracy) if finite(accuracy) else -math.inf


def _outcome(member: Mapping[str, Any]) -> str:
    failed, stopped = member.get("failed"), member.get("stopped")
    if failed:
        return inert(f"failed in step {failed['step']}: {failed['layer']} {failed['tensor']}")
    return f"stopped after step {stopped}" if stopped is not None else _FINISHED
