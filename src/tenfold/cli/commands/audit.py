"""`tenfold audit`: inspect a data set before training on it."""

__all__ = ["command"]

import datetime
from pathlib import Path

import click

from tenfold.cli.display import display
from tenfold.cli.options import DATA_DIR, FRAMING, JSON, PARTS, SIZE, shown
from tenfold.cli.tables.audit import print_audit
from tenfold.text import slug


@click.command("audit")
@click.argument("data")
@SIZE
@FRAMING
@PARTS
@DATA_DIR
@click.option("--no-images", is_flag=True, help="leave the images out of the page")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="HTML page to write  [a new file in runs/]")
@JSON
def command(
    data: str,
    size: int,
    framing: str,
    parts: str,
    data_dir: str,
    no_images: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Search DATA for problems that would spoil a result, and write an HTML page about them.

    It reports counts, image sizes, damaged files, small or unbalanced classes, duplicates within a part and across
    training and test, and identical images with different labels. It changes no file.
    """
    from tenfold.data.audit import as_json as json_of
    from tenfold.data.audit import audit
    from tenfold.data.load import is_folder, load
    from tenfold.report.pages import write_audit_page
    from tenfold.runs.events import working

    with display(as_json) as watch:
        dataset = load(
            data,
            data_dir=data_dir,
            size=size,
            skip_unreadable=is_folder(data),
            parts=parts,
            framing=framing,
            watch=working(watch),
        )
        findings = json_of(audit(dataset, working(watch)))
    page = out or _default_page(data)
    page.parent.mkdir(parents=True, exist_ok=True)
    write_audit_page(page, findings, dataset, not no_images)
    shown({**findings, "notes": list(dataset.notes), "page": str(page)}, as_json, print_audit)


def _default_page(data: str) -> Path:
    """Return runs/<time>-audit-<slug>.html below the working folder."""
    name = "-".join(filter(None, ("audit", slug(Path(data).stem))))
    return Path("runs") / f"{datetime.datetime.now():%Y%m%d-%H%M%S}-{name}.html"
