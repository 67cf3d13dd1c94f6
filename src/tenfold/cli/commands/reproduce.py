"""`tenfold reproduce NAME`: a reported table measured again, every number beside the reported one."""

__all__ = ["command"]

from pathlib import Path
from typing import Any

import click

from tenfold.cli.display import display, inert
from tenfold.cli.options import shown
from tenfold.cli.tables.reproduce import print_dry_run, print_explanation, print_list, print_reproduction
from tenfold.errors import UsageError


@click.command("reproduce")
@click.argument("tables", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="every table that comes with Tenfold, and one page for all")
@click.option("--scale", type=click.Choice(["full", "quick", "tiny"]), default="full", help="how much is run  [full]")
@click.option("--seeds", type=click.IntRange(0), default=0, help="seeds of every run  [the table's own]")
@click.option(
    "--explain", default=None, metavar="CELL", help="try what the report leaves open until this cell is settled"
)
@click.option("--force", is_flag=True, help="measure again what is known")
@click.option("--dry-run", is_flag=True, help="say which populations would be trained and how long, and stop")
@click.option("--out", default="", help="folder of the reproductions  [reproductions]")
@click.option("--markdown", default="", metavar="FILE", help="write the summary of all cells as Markdown, too")
@click.option("--data-dir", default="", help="root of the named data sets  [$TENFOLD_DATA, else the user's cache]")
@click.option("--json", "as_json", is_flag=True, help="print one JSON object as the last line")
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
    """Re-run published result tables: reported, measured, gap and verdict of every number.

    Without a name, the tables that come with Tenfold and what they take here. A name, or the file of a table of your
    own, runs it; what was measured already is not measured again.
    """
    from tenfold.reproduce.table import Asked, read_table, seeds_of, shipped

    if everything and tables:
        raise UsageError("give names of tables, or --all")
    if explain is not None and (force or seeds or dry_run or everything or len(tables) != 1):
        raise UsageError(
            "--explain CELL settles a cell of one table: give one name, and no --force, --seeds or --dry-run"
        )
    names = list(shipped()) if everything else list(tables)
    if not names:
        return _listed(scale, seeds, data_dir, as_json)
    asked = [Asked(read_table(name), scale, seeds, data_dir, force) for name in names]
    for one in asked:
        seeds_of(one, next(iter(one.table.runs)))  # the scale is one that the table has
    if markdown:
        _writable(Path(markdown).expanduser())
    if dry_run:
        return _rehearsed(asked, as_json)
    root = Path(out or "reproductions").expanduser()
    if explain is not None:
        return _explained(asked[0], root, explain, as_json)
    from tenfold.reproduce.reproduce import folder_of, reproduce
    from tenfold.reproduce.write import write_reproductions

    folders = [folder_of(root, one) for one in asked]
    if len(set(folders)) < len(folders):
        raise UsageError("two of these tables have one name: run them one after the other, into other folders (--out)")
    results = []
    for one, folder in zip(asked, folders, strict=True):
        with display(as_json) as watch:
            results.append(reproduce(one, folder, watch))
        page = write_reproductions([folder], root)
        if not as_json:
            print_reproduction(results[-1])
    if len(folders) > 1 or markdown:
        page = write_reproductions(folders, root, markdown)
    return shown({"report": str(page), "tables": results}, as_json, _print_page)


def _print_page(found: dict[str, Any]) -> None:
    click.echo(f"report  {inert(found['report'])}")


def _listed(scale: str, seeds: int, data_dir: str, as_json: bool) -> None:
    """What can be reproduced, and about how long it takes."""
    from tenfold.reproduce.costs import by_arithmetic, operations_per_second
    from tenfold.reproduce.table import Asked, read_table, shipped

    rate, rows = operations_per_second(), []
    for name in shipped():
        table = read_table(name)
        seconds = by_arithmetic(Asked(table, scale, seeds, data_dir), rate)
        about = {"name": name, "title": table.title, "report": table.report, "runs": len(table.runs)}
        rows.append({**about, "minutes": None if seconds is None else seconds / 60})
    shown({"tables": rows}, as_json, lambda found: print_list(found["tables"]))


def _rehearsed(asked: list[Any], as_json: bool) -> None:
    from tenfold.reproduce.costs import rehearsed

    found = [rehearsed(one) for one in asked]
    shown({"tables": found, "seconds": sum(row["seconds"] for row in found)}, as_json, print_dry_run)


def _writable(path: Path) -> None:
    """Said before anything is trained: a file that cannot be written to."""
    if path.is_dir() or not path.parent.is_dir():
        raise UsageError(f"--markdown {path}: give a file in a folder that exists")


def _explained(one: Any, root: Path, cell: str, as_json: bool) -> None:
    """Settle one cell of one table; its next run shows it."""
    from tenfold.reproduce.explain import explain
    from tenfold.reproduce.reproduce import folder_of

    with display(as_json) as watch:
        found = explain(one, folder_of(root, one), cell, watch)
    shown(found, as_json, print_explanation)
