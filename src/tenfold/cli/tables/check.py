"""Output of `tenfold check`: every gradient three ways, its verdict and laws, and a model's first steps on data."""

__all__ = ["print_check"]

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tenfold.cli import layout
from tenfold.text import ABSENT, inert, number, short

if TYPE_CHECKING:
    from rich.table import Table

VERDICTS = {"right": "right", "wrong": "WRONG", "unsteady": "unsteady", "unclear": "unclear"}


def print_check(result: Mapping[str, Any]) -> None:
    """Print each subject, then the checks on data, then how many gradients are right where there are several."""
    for subject in result["subjects"]:
        _print_subject(subject)
    if result["sanity"]:
        layout.echo(f"{inert(result['target'])} on {inert(result['data'])}")
        layout.show(_sanity(result["sanity"]))
    if len(result["subjects"]) > 1:
        right = sum(subject["verdict"] == "right" for subject in result["subjects"])
        layout.echo(f"{right} of {len(result['subjects'])} gradients are right")


def _print_subject(subject: Mapping[str, Any]) -> None:
    sizes = ", ".join(f"{name} {_sizes(shape)}" for name, shape in subject["shapes"].items())
    numbers = "".join(f", {name} {value:g}" for name, value in subject["constants"].items())
    rows = [("check", subject["name"]), ("computes", subject["described"]), ("sizes", sizes + numbers)]
    layout.show(layout.facts([(label, text) for label, text in rows if text]))
    layout.show(_blocks(subject["blocks"]))
    layout.show(layout.facts(_verdict(subject)))
    if subject["laws"]:
        layout.show(_laws(subject["laws"]))


def _verdict(subject: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Yield the verdict, other explanations, kinks and remarks."""
    yield VERDICTS[subject["verdict"]], subject["sentence"]
    for finding in subject["findings"][1:]:
        yield "or", finding["sentence"]
    if subject["on_kinks"]:
        given, met = subject["subgradients"], subject["on_kinks"]
        rest = "; the others lie behind units on a kink of their own, where the slope is a convention" * (given < met)
        yield "kinks", f"{given} of {met} entries on exact kinks were given a slope between those to both sides{rest}"
    for remark in subject["remarks"]:
        yield "note", remark


def _blocks(blocks: Sequence[Mapping[str, Any]]) -> "Table":
    table = layout.table("gradient of", ["entries", "off from\ndifferences", "off from\nautograd", "wrong at\npoints"])
    for block in blocks:
        errors = [number(block[name], ".1e") for name in ("difference", "autograd")]
        table.add_row(short(block["name"]), str(block["entries"]), *errors, str(block["wrong"]))
    return table


def _laws(laws: Sequence[Mapping[str, Any]]) -> "Table":
    table = layout.table("law", ["holds"], "what that means")
    for law in laws:
        holds = ABSENT if law["holds"] is None else "yes" if law["holds"] else "no"
        table.add_row(inert(law["name"]), holds, inert(law["says"]))
    return table


def _sanity(checks: Sequence[Mapping[str, Any]]) -> "Table":
    table = layout.table("first steps", ["verdict"], "found; expected")
    for check in checks:
        verdict = "ok" if check["ok"] else "look at this"
        table.add_row(inert(check["name"]), verdict, inert(f"{check['measured']}; {check['expected']}"))
    return table


def _sizes(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape)) or "a number"
