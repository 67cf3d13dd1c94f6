"""`tenfold margin` from Python: points or images of two classes, the largest margin between them, what else was asked.

>>> result = margin("1,0:+ 0,1:+ 1,1:- 2,0:-").as_json()
>>> result["exact"]["w"], result["exact"]["b"]
(['-2', '-2'], '3')
"""

__all__ = ["draw_margin", "margin"]

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tenfold.data.load import load
from tenfold.errors import FileError
from tenfold.files import write_text
from tenfold.report.svg import svg
from tenfold.teach.margin.answer import DEFAULT, Margin, answer
from tenfold.teach.margin.figures.distances import distances
from tenfold.teach.margin.figures.plane import plane
from tenfold.teach.margin.figures.support_images import support_images
from tenfold.teach.margin.problem import Separated, Soft
from tenfold.teach.margin.sources import material


def margin(
    data: str | Path = DEFAULT,
    *,
    classes: Sequence[str] = (),
    predict: str = "",
    given: str = "",
    soft: float | None = None,
    reported: str = "",
    limit: int | None = None,
    data_dir: str = "",
    size: int = 0,
) -> Margin:
    """Solve for the largest margin between two classes; the same as `tenfold margin`.

    data: points such as "1,0:+ 1,1:-", a CSV, a data set, or a sheet of reported numbers. classes: two names, that of +
    first. predict: new points, or a CSV of them. given: a line "w=-2,0; b=5". soft: C. reported: a sheet. limit, size:
    of images. Raises UsageError or DataError in one plain line.
    """
    source = str(data)
    points = material(source, classes, limit, size, partial(load, source, data_dir=data_dir, size=size))
    return answer(points, source, predict, given, soft, reported)


def draw_margin(result: Margin, folder: Path) -> list[Path]:
    """Write the figures that there is something for, as SVG, and return their files."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{folder}: cannot make this folder ({error.strerror or error})") from error
    points, name, solution, written = result.material.points, result.material.name, result.solution, []
    flat = plane.select(points, solution, result.given, result.soft, name)
    drawn: dict[str, tuple[Any, Any]] = {"plane": (plane, flat)}
    shape = tuple(result.material.dataset.images.shape[1:]) if result.material.dataset else (1, 1, 1)
    if min(shape[1:]) > 1:  # images, not vectors
        drawn["support_images"] = (support_images, support_images.select(points, solution, shape, name))
    for word, line in {"distances": solution, "soft_distances": result.soft}.items():
        if flat is None and isinstance(line, Separated | Soft):
            drawn[word] = (distances, distances.select(points, line, name))
    for word, (plot, data) in drawn.items():
        if data is not None:
            written.append(folder / f"{word}.svg")
            write_text(written[-1], svg(partial(plot.draw, data)))
    return written
