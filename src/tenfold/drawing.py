"""Every figure that a run's results have data for, as SVG files whose bytes depend on the results alone."""

__all__ = ["draw_all", "house_style"]

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import matplotlib

from tenfold.errors import FileError
from tenfold.rooms import find, names
from tenfold.tensorfile import write_atomically
from tenfold.types import Results


def draw_all(results: Results, folder: Path) -> list[Path]:
    """Write `<figure>.svg` for each figure that the results hold something for, and return the files.

    The same results give the same bytes, whatever the user's own matplotlib settings, which are left as they were.
    Raises FileError that names the file that cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{folder}: cannot make this folder ({error.strerror or error})") from error
    drawn = (_write(word, results, folder) for word in names("figures"))
    return [path for path in drawn if path is not None]


@contextmanager
def house_style() -> Iterator[None]:
    """Matplotlib's own defaults and a few settings of ours, for as long as the block lasts."""
    with matplotlib.rc_context(), warnings.catch_warnings():
        # The font that measures the text lacks some scripts; whoever shows the SVG has them.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        matplotlib.rcdefaults()
        matplotlib.rcParams["svg.hashsalt"] = "tenfold"
        # Text stays text: it can be searched and copied, and a browser has the glyphs of every script.
        matplotlib.rcParams["svg.fonttype"] = "none"
        matplotlib.rcParams["figure.dpi"] = 150
        matplotlib.rcParams["font.size"] = 9.5
        yield


def _write(word: str, results: Results, folder: Path) -> Path | None:
    plot = find("figures", word)
    data = plot.select(results)
    if data is None:
        return None
    drawn = io.BytesIO()
    with house_style():
        # Without a date the file depends on nothing but the results.
        plot.draw(data).savefig(drawn, format="svg", metadata={"Date": None})

    def fill(file: BinaryIO) -> None:
        file.write(drawn.getvalue())

    path = folder / f"{word}.svg"
    write_atomically(path, fill, drawn.getbuffer().nbytes)
    return path
