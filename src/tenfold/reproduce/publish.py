"""Publish reproductions: a page in the folder of each, one of all for several, and a summary in Markdown."""

__all__ = ["publish"]

from collections.abc import Sequence
from pathlib import Path

from tenfold.files import read_json, write_text
from tenfold.reproduce.page import reproduction_page
from tenfold.reproduce.records import Reproduction
from tenfold.reproduce.summary import summary_markdown

NAME = "report.html"


def publish(results: Sequence[Reproduction], folders: Sequence[Path], root: Path, markdown: str = "") -> Path:
    """Write a page into the folder of every reproduction, and for several one of all into root; return its path.

    folders: of the results, in the same order. markdown: a file for the summary of all cells, "" for none.
    """
    figures = {result.name: _figures(result, folder) for result, folder in zip(results, folders, strict=True)}
    pages = [
        _write(folder / NAME, reproduction_page([result], figures))
        for result, folder in zip(results, folders, strict=True)
    ]
    if markdown:
        _write(Path(markdown).expanduser(), summary_markdown(results, _machine(folders[0])))
    return _write(root / NAME, reproduction_page(results, figures)) if len(folders) > 1 else pages[0]


def _figures(result: Reproduction, folder: Path) -> dict[str, str]:
    """Read the figures of a reproduction: word -> text of an SVG file."""
    paths = [folder / name for name in result.figures]
    return {path.stem: path.read_text("utf-8") for path in paths if path.exists()}


def _machine(folder: Path) -> str:
    """Name the machine that measured in a few words."""
    machine = read_json(folder / "env.json", "processor", "cores", "packages")
    return f"{machine['processor']}, {machine['cores']} cores, torch {machine['packages']['torch']}"


def _write(path: Path, page: str) -> Path:
    write_text(path, page)
    return path
