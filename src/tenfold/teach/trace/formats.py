"""A trace in the formats that it leaves Tenfold in: text, JSON, a page, a LaTeX document, Markdown."""

__all__ = ["FORMATS", "rendered", "write_sheet", "write_trace"]

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tenfold.errors import FileError, UsageError, nearest
from tenfold.files import write_text
from tenfold.teach.trace.latex import latex
from tenfold.teach.trace.markdown_tables import markdown
from tenfold.teach.trace.record import Trace
from tenfold.teach.trace.sheets import answers_text, sheet_text
from tenfold.teach.trace.webpage import page


class Form(NamedTuple):
    """A format: how its files end, and what makes it from a trace."""

    suffix: str
    make: Callable[[Trace], str]


FORMATS = {
    "text": Form(".txt", str),
    "json": Form(".json", lambda trace: json.dumps(trace.as_json(), ensure_ascii=False, indent=1)),
    "html": Form(".html", lambda trace: page(trace.display)),
    "latex": Form(".tex", lambda trace: latex(trace.display)),
    "markdown": Form(".md", lambda trace: markdown(trace.display)),
}


def rendered(trace: Trace, form: str) -> str:
    """Write the trace in a format, with a line break at its end. Raises UsageError for an unknown format."""
    if form not in FORMATS:
        raise UsageError(f"no format {form!r}: {nearest(form, FORMATS)}")
    return FORMATS[form].make(trace).rstrip("\n") + "\n"


def write_trace(trace: Trace, form: str, path: Path, force: bool = False) -> Path:
    """Write the trace in a format; a file that is there already is replaced only by force. Raises FileError."""
    _free([path], force)
    write_text(path, rendered(trace, form))
    return path


def write_sheet(trace: Trace, form: str, path: Path, force: bool = False) -> list[Path]:
    """Write a practice sheet, its answers beside it, and the trace with its gaps in a format other than text.

    A path that ends as the format does is the trace's; the sheet then ends with .toml.
    """
    _free([path], force=True)
    page = path.with_suffix(FORMATS[form].suffix)
    # Two files of one name would be one file: the sheet gives way.
    sheet = path.with_suffix(".toml") if form != "text" and path.suffix.lower() == page.suffix else path
    texts = {sheet: sheet_text(trace), sheet.with_name(f"{sheet.stem}-key.toml"): answers_text(trace)}
    if form != "text":
        texts[path if sheet != path else page] = rendered(trace, form)
    _free(list(texts), force)
    for file, text in texts.items():
        write_text(file, text)
    return list(texts)


def _free(paths: list[Path], force: bool) -> None:
    for path in paths:
        if path.is_dir():
            raise FileError(f"{path}: is a folder; give the name of a file")
        if path.exists() and not force:
            raise FileError(f"{path}: is there already, somebody may have written in it; --force replaces it")
