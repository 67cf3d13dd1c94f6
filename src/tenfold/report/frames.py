"""One photograph of unequal sides as its file has it, beside the square that a model sees of it."""

__all__ = ["Framed", "framed_example"]

from pathlib import Path
from typing import NamedTuple

from tenfold.data.readers.images import images
from tenfold.errors import DataError
from tenfold.report.pictures import Album, Picture
from tenfold.text import FRAMED

_TRIED = 200  # files, the first ones, of which the smallest is shown


class Framed(NamedTuple):
    """One image as its file has it and as a model sees it. did: "cropped to their center"; sizes: "100 × 80" of each.

    enlarged: factor by which what the model sees is drawn larger than it is.
    """

    did: str
    file: Picture
    seen: Picture
    sizes: tuple[str, str]
    enlarged: int


def framed_example(album: Album) -> Framed | None:
    """Return one of the first images of unequal sides; None where there is none, or none that may be shown."""
    data = album.dataset
    if data is None or not album.open or not data.reading or not data.reading.unequal:
        return None
    try:
        headers = [images(Path(path)) for path in data.paths[:_TRIED]]
        areas = {n: file.width * file.height for n, file in enumerate(headers) if file.width != file.height}
        place = min(areas, key=lambda n: areas[n], default=None)
        if place is None:
            return None
        file, seen = album.beside_file(place)
    except DataError:  # moved since it was read
        return None
    side, enlarged = data.images.shape[-1], max(1, min(file.height, file.width) // seen.height)
    sizes = (f"{headers[place].width} × {headers[place].height}", f"{side} × {side}")
    larger = seen._replace(width=enlarged * seen.width, height=enlarged * seen.height)
    return Framed(FRAMED[data.framing], file, larger, sizes, enlarged)
