"""Write the pages of reproductions: one in the folder of each, and one of all."""

__all__ = ["write_reproductions"]

from collections.abc import Sequence
from pathlib import Path

from tenfold.files import read_json, write_text
from tenfold.reproduce.markdown import summary_markdown
from tenfold.reproduce.page import reproduction_page

NAME = "report.html"


def write_reproductions(folders: Sequence[Path], root: Path, markdown: str = "") -> Path:
    """A page in the folder of every reproduction, and for several one of all in root; returns the path of that.

    markdown: a file for the summary of all cells, "" for none.
    """
    results = [dict(read_json(folder / "result.json", "cells", "figures")) for folder in folders]
    drawn = {
        result["name"]: {
            Path(name).stem: path.read_text("utf-8") for name in result["figures"] if (path := folder / name).exists()
        }
        for folder, result in zip(folders, results, strict=True)
    }
    pages = [
        _write(folder / NAME, reproduction_page([result], drawn))
        for folder, result in zip(folders, results, strict=True)
    ]
    if markdown:
        _write(Path(markdown).expanduser(), summary_markdown(results, _machine(folders[0])))
    return _write(root / NAME, reproduction_page(results, drawn)) if len(folders) > 1 else pages[0]


def _machine(folder: Path) -> str:
    """What the numbers were measured on, in a few words."""
    known = read_json(folder / "env.json", "processor", "cores", "packages")
    return f"{known['processor']}, {known['cores']} cores, torch {known['packages']['torch']}"


def _write(path: Path, page: str) -> Path:
    write_text(path, page)
    return path
