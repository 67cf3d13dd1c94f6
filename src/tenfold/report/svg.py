"""Every figure that a run's results have data for, as SVG whose bytes depend on the results alone."""

__all__ = ["DARK", "Drawn", "darkened", "draw_all", "drawn", "house_style", "picture"]

import io
import re
import time
import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from tenfold.errors import FileError
from tenfold.files import write_atomically
from tenfold.report.results import Results
from tenfold.rooms import find, names

# Pixels of the longer side of a figure that is shown as a picture.
_LONGEST = 1200
DARK = ("#e4e6ea", "#1a1d22")
"""What black and white become on a dark page: its ink and its paper."""

DPI = 150
"""Dots per inch of the images in a figure."""


class Drawn(NamedTuple):
    """Figures as SVG by name, and the names of those that there was no time for."""

    figures: dict[str, str]
    undrawn: tuple[str, ...]


def draw_all(results: Results, folder: Path, seconds: float = float("inf"), have: Collection[str] = ()) -> Drawn:
    """Write `<figure>.svg` for each figure that the results hold something for.

    seconds: time for it; a figure that is not begun in it is left out. have: names of figures that there are. The same
    results give the same bytes, whatever the user's own matplotlib settings, which are left as they were. Raises
    FileError that names the file that cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{folder}: cannot make this folder ({error.strerror or error})") from error
    end, figures, undrawn = time.monotonic() + seconds, {}, []
    for word in (word for word in names("figures") if word not in have and _possible(word, results)):
        if time.monotonic() > end and find("figures", word).select(results) is not None:
            undrawn.append(word)
        elif (text := drawn(word, results)) is not None:
            _write(folder / f"{word}.svg", text.encode())
            figures[word] = text
    return Drawn(figures, tuple(undrawn))


def _possible(word: str, results: Results) -> bool:
    """Say if a figure may have data: one named like a field of the results, or after it, has none where that is empty.

    So sweep_map is not even imported for a run without a sweep.
    """
    return all(bool(getattr(results, name, True)) for name in (word, word.partition("_")[0]))


@contextmanager
def house_style() -> Iterator[None]:
    """Set Matplotlib's own defaults and a few settings of ours, for as long as the block lasts."""
    with matplotlib.rc_context(), warnings.catch_warnings():
        # The font that measures the text lacks some scripts; whoever shows the SVG has them.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        matplotlib.rcdefaults()
        matplotlib.rcParams["svg.hashsalt"] = "tenfold"
        # Text stays text: it can be searched and copied, and a browser has the glyphs of every script.
        matplotlib.rcParams["svg.fonttype"] = "none"
        matplotlib.rcParams["figure.dpi"] = DPI
        matplotlib.rcParams["font.size"] = 9.5
        yield


def drawn(word: str, results: Results) -> str | None:
    """Return one figure as the text of an SVG file; None where the results hold nothing for it."""
    plot = find("figures", word)
    data = plot.select(results)
    return None if data is None else svg(lambda: plot.draw(data))


def picture(word: str, results: Results) -> bytes | None:
    """Return one figure as a PNG of at most 1,200 pixels a side; None where the results hold nothing for it."""
    plot = find("figures", word)
    data = plot.select(results)
    if data is None:
        return None
    written = io.BytesIO()
    with house_style():
        figure = plot.draw(data)
        figure.savefig(written, format="png", dpi=min(150.0, _LONGEST / max(figure.get_size_inches())))
    return written.getvalue()


def svg(draw: Callable[[], Figure]) -> str:
    """Return a figure as the text of an SVG file, drawn in the house's style."""
    written = io.BytesIO()
    with house_style():
        figure = draw()
        if engine := figure.get_layout_engine():
            # `savefig` would draw all of it once more only to have the layout made.
            engine.execute(figure)
            figure.set_layout_engine("none")
            figure.set_dpi(DPI)  # that of SVG stays behind
        # Without a date the file depends on nothing but what is drawn.
        FigureCanvasSVG(figure).print_svg(written, metadata={"Date": None})  # type: ignore[no-untyped-call]
    return written.getvalue().decode()


def darkened(svg: str) -> str:
    """Return the same figure for a dark page: pure greys go from its ink (black) to its paper (white), colors stay.

    >>> darkened('<svg><path style="fill: #ffffff; stroke: #d55e00"/></svg>')
    '<svg fill="#e4e6ea"><path style="fill: #1a1d22; stroke: #d55e00"/></svg>'
    """
    # What matplotlib draws in black has no fill of its own and takes that of the root.
    rooted = svg.replace("<svg", f'<svg fill="{DARK[0]}"', 1)
    return re.sub(r"(?<=fill: |roke: )#([0-9a-f]{2})\1\1\b", lambda match: _mixed(int(match[1], 16) / 255), rooted)


def _mixed(lightness: float) -> str:
    """Return a grey between the ink (0) and the paper (1) of a dark page."""
    ink, paper = (bytes.fromhex(color[1:]) for color in DARK)
    return "#" + bytes(round(a + (b - a) * lightness) for a, b in zip(ink, paper, strict=True)).hex()


def _write(path: Path, content: bytes) -> None:
    def fill(file: BinaryIO) -> None:
        file.write(content)

    write_atomically(path, fill, len(content))
