"""`tenfold audit`: what is in a data set, before anything is trained on it."""

__all__ = ["command"]

import datetime
import re
from pathlib import Path

import click

from tenfold.cli.options import shown
from tenfold.cli.tables.audit import print_audit


@click.command("audit")
@click.argument("data")
@click.option("--size", type=int, default=0, help="side in pixels of a folder's images  [their median, at most 64]")
@click.option("--data-dir", default="", help="root of the named data sets  [$TENFOLD_DATA, else the user's cache]")
@click.option("--no-images", is_flag=True, help="leave the pictures out of the page")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="the page to write  [below runs/]")
@click.option("--json", "as_json", is_flag=True, help="print one JSON object as the last line")
def command(data: str, size: int, data_dir: str, no_images: bool, out: Path | None, as_json: bool) -> None:
    """Look through DATA for what would spoil a result, and write a page of it.

    Counts and sizes, broken files, classes that are small or uneven, copies of one picture within a part and across
    training and test, one picture under two labels. Nothing is changed.
    """
    from tenfold.data.audit import as_json as plain
    from tenfold.data.audit import audit
    from tenfold.data.load import is_folder, load
    from tenfold.report.pages import write_audit_page

    dataset = load(data, data_dir=data_dir, size=size, skip_unreadable=is_folder(data))
    found = plain(audit(dataset))
    page = out or _default_page(data)
    page.parent.mkdir(parents=True, exist_ok=True)
    write_audit_page(page, found, dataset, not no_images)
    shown({**found, "notes": list(dataset.notes), "page": str(page)}, as_json, print_audit)


def _default_page(data: str) -> Path:
    """runs/<time>-audit-<slug>.html below the working folder."""
    slug = re.sub(r"[^a-z0-9]+", "-", Path(data).stem.lower()).strip("-")[:40]
    return Path("runs") / f"{datetime.datetime.now():%Y%m%d-%H%M%S}-{'-'.join(filter(None, ('audit', slug)))}.html"
