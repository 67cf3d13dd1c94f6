"""Predictions as they are printed, a line or a few for each image: text, CSV, JSON lines."""

__all__ = ["FORMATS", "Rows", "Shown"]

import csv
import io
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tenfold.text import cell, count, inert, percent, short

if TYPE_CHECKING:
    from tenfold.runs.ask import FileAnswer

TOP = 3  # classes of an image in text
ABSTAINED = "(abstains)"


class Shown(NamedTuple):
    """Wishes of a user: how many classes of an image, None for all; the probability below which none is named."""

    top: int | None
    abstain: float

    def abstains(self, answer: "FileAnswer") -> bool:
        """Say whether no class is named."""
        return max(answer.probabilities) < self.abstain

    def note(self, abstained: int, images: int) -> list[str]:
        """Say how many of the images no class was named for."""
        named = f"{abstained:,} of {count(images, 'image')}: no class has a probability of {self.abstain:g}"
        return [named] if abstained else []

    def ranked(self, answer: "FileAnswer", names: Sequence[str]) -> list[tuple[str, float]]:
        """Return the likeliest classes and their probabilities."""
        pairs = zip(names, answer.probabilities, strict=True)
        return sorted(pairs, key=lambda pair: -pair[1])[: self.top]

    def described(self, answer: "FileAnswer", names: Sequence[str]) -> dict[str, Any]:
        """Return an answer as it is in JSON, without its probabilities."""
        described = answer._asdict()
        del described["probabilities"]
        if self.top:
            ranked = self.ranked(answer, names)
            described["top"] = [{"class": name, "probability": share} for name, share in ranked]
        return described | {"predicted": None if self.abstains(answer) else answer.predicted}


class Rows(NamedTuple):
    """Text before the first answer, and what makes that of one answer."""

    head: str
    row: Callable[["FileAnswer"], str]


def _text(names: Sequence[str], asked: Shown) -> Rows:
    """Make a line of the likeliest classes."""
    asked = asked._replace(top=asked.top or TOP)

    def row(answer: "FileAnswer") -> str:
        shares = [f"{short(name)} {percent(share, ' %')}" for name, share in asked.ranked(answer, names)]
        return f"{inert(answer.file)}: {'  '.join([ABSTAINED] * asked.abstains(answer) + shares)}\n"

    return Rows("", row)


def _csv(names: Sequence[str], asked: Shown) -> Rows:
    """Make a row of file, class and the probability of every class, or the names and probabilities of the likeliest.

    The class is empty where the model abstains. No spreadsheet takes a name for a formula.
    """
    if asked.top:
        places = range(1, min(asked.top, len(names)) + 1)
        columns = [f"{what}_{place}" for place in places for what in ("class", "probability")]
    else:
        columns = [cell(name) for name in names]

    def row(answer: "FileAnswer") -> str:
        ranked = asked.ranked(answer, names) if asked.top else ()
        pairs = [text for name, share in ranked for text in (cell(name), f"{share:.6g}")]
        shares = [f"{share:.6g}" for share in answer.probabilities]
        predicted = "" if asked.abstains(answer) else cell(answer.predicted)
        return _line([cell(answer.file), predicted, *(pairs or shares)])

    return Rows(_line(["file", "predicted", *columns]), row)


def _jsonl(names: Sequence[str], asked: Shown) -> Rows:
    """Make a JSON object a line: file, class, whether it was in training, and probabilities by class."""

    def row(answer: "FileAnswer") -> str:
        shares = {} if asked.top else {"probabilities": dict(zip(names, answer.probabilities, strict=True))}
        return json.dumps(asked.described(answer, names) | shares) + "\n"

    return Rows("", row)


def _line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


FORMATS = {"text": _text, "csv": _csv, "jsonl": _jsonl}
"""Word -> what makes the table of it, from the names of the classes and what is asked for."""
