"""`tenfold trace NETWORK`: back-propagation worked through line by line, every line checked."""

__all__ = ["command"]

from pathlib import Path
from typing import Any

import click

from tenfold.cli.options import shown
from tenfold.cli.tables.trace import print_files, print_trace
from tenfold.errors import UsageError

FORMATS = ("text", "html", "latex", "markdown", "json")
CHOICES = (
    "activations",
    "weights",
    "biases",
    "loss",
    "learning_rate",
    "samples",
    "batch",
    "updates",
    "seed",
    "digits",
)


@click.command("trace")
@click.argument("network", default="")
@click.option(
    "--activations", default=None, metavar="WORDS", help="one for each layer, the output's last: relu,identity"
)
@click.option(
    "--weights", default=None, metavar="NUMBERS", help='one for all, "1,2;3,4 5,6" (layers, rows), or he, xavier, …'
)
@click.option("--biases", default=None, metavar="NUMBERS", help='one for all, or "1,2 3": a layer after the other')
@click.option(
    "--loss", default=None, metavar="WORD", help="squared_error, mean_squared_error, softmax, sigmoid, hinge, …"
)
@click.option("--learning-rate", default=None, metavar="NUMBER", help="η of w ← w − η ∂L/∂w")
@click.option(
    "--samples", default=None, metavar="X:Y…", help='"1:3 2:4", wider "1,0:2 0,1:1"; y is a number, or a label'
)
@click.option("--batch/--one-by-one", default=None, help="all samples in one update, or one sample an update")
@click.option("--updates", type=int, default=None, help="how many; samples begin again after the last  [all once]")
@click.option("--seed", type=int, default=None, help="of an initializer, and of --blank  [0]")
@click.option("--digits", type=int, default=None, help="that an initializer's numbers are rounded to  [2]")
@click.option(
    "--reported",
    is_flag=False,
    flag_value="",
    default=None,
    metavar="[FILE]",
    help="judge the numbers of a file, or its own",
)
@click.option("--blank", type=int, default=None, metavar="N", help="hide N numbers: a practice sheet and its answers")
@click.option("--mark", default=None, metavar="SHEET", help="judge the answers of a filled practice sheet")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="what is written  [text]")
@click.option(
    "--out", default="", metavar="FILE", help="write there  [html: trace.html; --blank: sheet.toml; else stdout]"
)
@click.option("--force", is_flag=True, help="replace files that are there already")
@click.option("--json", "as_json", is_flag=True, help="print one JSON object as the last line")
def command(
    network: str,
    activations: str | None,
    weights: str | None,
    biases: str | None,
    loss: str | None,
    learning_rate: str | None,
    samples: str | None,
    batch: bool | None,
    updates: int | None,
    seed: int | None,
    digits: int | None,
    reported: str | None,
    blank: int | None,
    mark: str | None,
    form: str,
    out: str,
    force: bool,
    as_json: bool,
) -> None:
    """Work a small network's training through: forward, loss, local derivatives, chain rule, updates.

    NETWORK is its layer sizes (1-1-1), a TOML file, or a worked example that comes with Tenfold [hand-worked]. Every
    line is checked against torch, by central differences and against Tenfold's own layers; --reported judges numbers
    that somebody wrote down: exact, rounded, truncated, follows from an earlier one, or a slip, with its cause.
    """
    from tenfold.teach.trace.api import traced
    from tenfold.teach.trace.sheets import blanked, marked

    given = (activations, weights, biases, loss, learning_rate, samples, batch, updates, seed, digits)
    choices = {name: value for name, value in zip(CHOICES, given, strict=True) if value is not None}
    if mark is not None:
        if network or choices or reported is not None or blank is not None:
            raise UsageError("--mark SHEET takes no network, no other numbers and no --blank: the sheet holds it all")
        if not mark:
            raise UsageError("--mark takes the file of a filled practice sheet, such as --mark sheet.toml")
        return _given_out(marked(Path(mark).expanduser()), form, out, force, as_json)
    if blank is None:
        return _given_out(traced(network, choices, reported), form, out, force, as_json)
    if reported is not None:
        raise UsageError("--blank hides numbers, --reported judges them: give one of the two")
    return _blanked(blanked(traced(network, choices), blank, seed or 0), form, out, force, as_json)


def _given_out(trace: Any, form: str, out: str, force: bool, as_json: bool) -> None:
    """Print the trace, or write it where that is wanted, or usual for the format."""
    from tenfold.teach.trace.record import rendered, write_trace

    result, target = trace.as_json(), out or ("trace.html" if form == "html" else "")
    if target:
        path = write_trace(trace, form, Path(target).expanduser(), force)
        return shown({**result, "written": [str(path)]}, as_json, lambda _: print_files([path]))
    if force:
        raise UsageError("--force replaces a file, and none is written here: name one with --out FILE")
    if as_json or form == "text":
        return shown(result, as_json, lambda _: print_trace(trace))
    return click.echo(rendered(trace, form), nl=False)


def _blanked(trace: Any, form: str, out: str, force: bool, as_json: bool) -> None:
    from tenfold.teach.trace.sheets import write_sheet

    paths = write_sheet(trace, form, Path(out or "sheet.toml").expanduser(), force)
    result = {**trace.as_json(), "written": [str(path) for path in paths]}

    def show(_: dict[str, Any]) -> None:
        if form == "text":
            print_trace(trace)
            click.echo()
        print_files(paths)

    shown(result, as_json, show)
