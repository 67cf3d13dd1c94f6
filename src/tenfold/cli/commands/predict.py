"""`tenfold predict RUN|MODEL IMAGES…`: predict class probabilities of images."""

__all__ = ["command"]

import glob
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from tenfold.cli.display import display
from tenfold.cli.layout import print_text
from tenfold.cli.options import JSON
from tenfold.cli.tables.predictions import FORMATS, Shown
from tenfold.errors import DataError, UsageError, nearest
from tenfold.text import inert


@click.command("predict")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1, required=True)
@click.option("--format", "word", default="", metavar="FORMAT", help="text, csv or jsonl  [csv for folders, else text]")
@click.option("--top", type=click.IntRange(1), help="how many classes of an image to print, likeliest first")
@click.option("--abstain", type=click.FloatRange(0, 1), default=0.0, help="name no class below this probability")
@click.option("--skip-unreadable", is_flag=True, help="leave with 0 although images could not be read")
@JSON
def command(
    model: Path,
    images: tuple[str, ...],
    word: str,
    top: int | None,
    abstain: float,
    skip_unreadable: bool,
    as_json: bool,
) -> int:
    """Predict class probabilities of IMAGES with MODEL.

    MODEL is a run folder or a model file. IMAGES are files, folders, quoted patterns such as 'photos/*.jpg', or - for a
    list of them on standard input, one a line or with NUL characters between them. Results come as images are read:
    with text, the three likeliest classes of each; with csv and jsonl (a JSON object a line), the probability of every
    class. Probabilities are calibrated. Images that MODEL was trained on are named.

    An image that cannot be read is reported, the others are done, and the exit code is 1.
    """
    places = [place for argument in images for place in _places(argument)]
    if word and word not in FORMATS:
        raise UsageError(f"--format {word}: no such format, {nearest(word, FORMATS)}")
    word = word or ("csv" if any(place.is_dir() for place in places) else "text")
    asked = Shown(top, abstain)
    unread = _print_json(model, places, asked) if as_json else _print_rows(model, places, word, asked)
    return int(unread > 0 and not skip_unreadable)


def _print_rows(model: Path, places: Sequence[Path], word: str, asked: Shown) -> int:
    """Print answers as they come, and notes behind them; return how many images could not be read."""
    from tenfold.runs.ask import FileAnswer, ask

    # On a terminal the rows themselves show how far it is.
    with display(sys.stdout.isatty()) as watch:
        asking = ask(model, places, watch)
        table = FORMATS[word](asking.trained.class_names, asked)
        reported = abstained = 0
        for answer in asking.answers():
            if isinstance(answer, FileAnswer):
                print_text(table.head * (asking.answered == 1) + table.row(answer))
                abstained += asked.abstains(answer)
            if asking.answered:  # where no image can be read at all, one error says so
                for unread in asking.unread[reported:]:
                    click.echo(inert(unread.reason), err=True)
                reported = len(asking.unread)
    for note in [*asking.notes(), *asked.note(abstained, asking.answered)]:
        click.echo(inert(note), err=True)
    return len(asking.unread)


def _print_json(model: Path, places: Sequence[Path], asked: Shown) -> int:
    """Print all answers as one JSON object; return how many images could not be read."""
    from tenfold.runs.ask import FileAnswer, predict_files

    result = predict_files(model, places)
    names, answers = result["class_names"], [FileAnswer(**row) for row in result["predictions"]]
    for row, answer in zip(result["predictions"], answers, strict=True):
        row.update(asked.described(answer, names))
    result["notes"] += asked.note(sum(map(asked.abstains, answers)), len(answers))
    click.echo(json.dumps(result, ensure_ascii=True))
    return len(result["unreadable"])


def _places(word: str) -> Sequence[Path]:
    """Return the places that an argument means: itself, what fits a pattern, or what standard input lists."""
    if word == "-":
        listed = [Path(name).expanduser() for name in _names()]
        if not listed:
            raise DataError("standard input (-): names no images; expected one path a line")
        return listed
    path = Path(word).expanduser()
    if os.path.lexists(path) or not glob.has_magic(word):
        return [path]
    if fitting := sorted(glob.glob(str(path), recursive=True)):  # noqa: PTH207 -- below any root
        return [Path(name) for name in fitting]
    raise DataError(f"{word}: no file fits this pattern")


def _names() -> Iterator[str]:
    """Read names from standard input, divided by NUL characters where it has some, else by ends of lines."""
    content = sys.stdin.buffer.read() if sys.stdin else b""
    names = content.split(b"\0") if b"\0" in content else content.splitlines()
    return (os.fsdecode(name) for name in names if name.strip())
