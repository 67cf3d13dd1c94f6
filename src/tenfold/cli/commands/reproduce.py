"""`tenfold reproduce NAME`: measure a published result table again, every number beside the reported one."""

__all__ = ["command"]

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tenfold.cli.display import display
from tenfold.cli.options import DATA_DIR, JSON, shown
from tenfold.errors import UsageError
from tenfold.text import inert

if TYPE_CHECKING:
    from tenfold.reproduce.table import TableRequest


@click.command("reproduce")
@click.argument("tables", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="run every table that comes with Tenfold, on one page")
@click.option(
    "--scale",
    type=click.Choice(["full", "quick", "tiny"]),
    default="full",
    help="amount of training  [full]",
)
@click.option("--seeds", type=click.IntRange(0), default=0, help="number of seeds of every run  [as in the table]")
@click.option(
    "--explain",
    default=None,
    metavar="CELL",
    help="explain this cell: train what the report leaves open; gaps: every cell that is not reproduced",
)
@click.option("--force", is_flag=True, help="measure again, even if measured before")
@click.option("--dry-run", is_flag=True, help="print the populations that would be trained and their time, and stop")
@click.option("--out", default="", help="folder for the results  [reproductions]")
@click.option("--markdown", default="", metavar="FILE", help="also write a summary of all cells as Markdown")
@DATA_DIR
@JSON
def command(
    tables: tuple[str, ...],
    everything: bool,
    scale: str,
    seeds: int,
    explain: str | None,
    force: bool,
    dry_run: bool,
    out: str,
    markdown: str,
    data_dir: str,
    as_json: bool,
) -> None:
    """Measure published result tables again: print reported number, measured number, gap and verdict.

    TABLES are names of tables that come with Tenfold, or TOML files of your own. Without TABLES, the command lists the
    tables that come with Tenfold and the minutes that each takes on this machine. A number that was measured before is
    not measured again.
    """
    from tenfold.reproduce.table import TableRequest, read_table, seeds_of, shipped

    if everything and tables:
        raise UsageError("give names of tables or --all, not both")
    gaps = explain == "gaps"
    _refuse_explaining(explain, tables, everything, dry_run, bool(force or seeds))
    names = list(shipped()) if everything else list(tables)
    if not names:
        return _listed(scale, seeds, data_dir, as_json)
    requests = [TableRequest(read_table(name), scale, seeds, data_dir, force) for name in names]
    for request in requests:
        seeds_of(request, next(iter(request.table.runs)))  # the scale is one that the table has
    if markdown:
        _writable(Path(markdown).expanduser())
    if dry_run:
        return _rehearsed(requests, as_json)
    root = Path(out or "reproductions").expanduser()
    if explain is not None and not gaps:
        return _explained(requests[0], root, explain, as_json)
    from tenfold.cli.tables.reproduce import print_reproduction
    from tenfold.files import as_json as plain
    from tenfold.reproduce.explain import reproduce_and_explain
    from tenfold.reproduce.publish import publish
    from tenfold.reproduce.reproduce import folder_of, reproduce

    folders = [folder_of(root, request) for request in requests]
    if len(set(folders)) < len(folders):
        raise UsageError("two of these tables have the same name: run each by itself, with an --out of its own")
    results = []
    for request, folder in zip(requests, folders, strict=True):
        with display(as_json) as watch:
            results.append((reproduce_and_explain if gaps else reproduce)(request, folder, watch))
        page = publish(results[-1:], [folder], root)
        if not as_json:
            print_reproduction(results[-1])
    if len(folders) > 1 or markdown:
        page = publish(results, folders, root, markdown)
    return shown({"report": str(page), "tables": plain(results)}, as_json, _print_page)


def _refuse_explaining(explain: str | None, tables: Sequence[str], everything: bool, dry_run: bool, anew: bool) -> None:
    """Refuse options that do not go with --explain. anew: --force or --seeds is given."""
    if explain is None:
        return
    if explain == "gaps":
        if dry_run or not (tables or everything):
            raise UsageError("--explain gaps explains cells of tables: give their names or --all, and no --dry-run")
    elif anew or dry_run or everything or len(tables) != 1:
        raise UsageError(
            "--explain CELL explains a cell of one table: give one name, and no --force, --seeds, --dry-run or --all; "
            "--explain gaps takes several tables"
        )


def _print_page(result: dict[str, Any]) -> None:
    click.echo(f"report  {inert(result['report'])}")


def _listed(scale: str, seeds: int, data_dir: str, as_json: bool) -> None:
    """List the tables that can be reproduced, and about how long each takes."""
    from tenfold.cli.tables.reproduce import print_list
    from tenfold.files import as_json as plain
    from tenfold.reproduce.costs import by_arithmetic, operations_per_second
    from tenfold.reproduce.records import ListedTable
    from tenfold.reproduce.table import TableRequest, read_table, shipped

    rate, rows = operations_per_second(), []
    for name in shipped():
        table = read_table(name)
        seconds = by_arithmetic(TableRequest(table, scale, seeds, data_dir), rate)
        minutes = None if seconds is None else seconds / 60
        rows.append(ListedTable(name, table.title, table.report, len(table.runs), minutes))
    shown({"tables": plain(rows)}, as_json, lambda _: print_list(rows))


def _rehearsed(requests: "Sequence[TableRequest]", as_json: bool) -> None:
    from tenfold.cli.tables.reproduce import print_dry_run
    from tenfold.files import as_json as plain
    from tenfold.reproduce.costs import rehearsed

    rehearsals = [rehearsed(request) for request in requests]
    seconds = sum(rehearsal.seconds for rehearsal in rehearsals)
    shown({"tables": plain(rehearsals), "seconds": seconds}, as_json, lambda _: print_dry_run(rehearsals))


def _writable(path: Path) -> None:
    """Refuse a file that cannot be written to, before anything is trained."""
    if path.is_dir() or not path.parent.is_dir():
        raise UsageError(f"--markdown {path}: give the name of a file in an existing folder")


def _explained(request: "TableRequest", root: Path, cell: str, as_json: bool) -> None:
    """Settle one cell of one table; its next run shows the explanation."""
    from tenfold.cli.tables.reproduce import print_explanation
    from tenfold.files import as_json as plain
    from tenfold.reproduce.explain import explain
    from tenfold.reproduce.reproduce import folder_of

    with display(as_json) as watch:
        explanation = explain(request, folder_of(root, request), cell, watch)
    shown(plain(explanation), as_json, lambda _: print_explanation(explanation))
