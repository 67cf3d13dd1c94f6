"""Results of `audit` as text on stdout."""

__all__ = ["print_audit"]

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tenfold.cli.layout import print_text
from tenfold.text import count, inert, unequal

_ROWS = 20
_FEW = 5
_WIDTH = 80
_NAME = 24
_LABEL = 12


def print_audit(result: Mapping[str, Any]) -> None:
    """Print counts, files, duplicates and warnings, and the path of the page as the last line."""
    channels, height, width = result["shape"]
    shape = f"{channels} × {height} × {width}{unequal(result['unequal'], result['framing'])}"
    facts = [
        ("data", inert(str(result["data"]))),
        ("images", f"{result['images']:,}, {shape}, {result['type']}"),
        ("parts", _parts(result["counts"])),
        ("sizes", _tally(result["sizes"])),
        ("files", _tally(result["modes"])),
        ("ignored", _ignored(result["ignored"])),
        ("imbalance", f"{result['imbalance']:.3g}, the largest class over the smallest"),
    ]
    lines = [line for label, text in facts if text for line in _fact(label, text)]
    for block in (_classes(result), _unreadable(result["unreadable"]), _duplicates(result), _warnings(result)):
        if block:
            lines += ["", *block]
    lines += ["", f"page: {inert(str(result['page']))}"]
    print_text("\n".join(lines) + "\n")


def _fact(label: str, text: str) -> Iterator[str]:
    wrapped = textwrap.wrap(text, _WIDTH - _LABEL) or [""]
    yield f"{label:<{_LABEL}}{wrapped[0]}"
    for line in wrapped[1:]:
        yield " " * _LABEL + line


def _parts(counts: Mapping[str, Sequence[int]]) -> str:
    if list(counts) == ["all"]:
        return "none of its own"
    return ", ".join(f"{part} {sum(of_part):,}" for part, of_part in counts.items())


def _ignored(entries: int) -> str:
    return count(entries, "entry", "entries") if entries else ""


def _tally(files: Mapping[str, int]) -> str:
    """Return how many files are of each kind, the first few kinds by name."""
    kinds = [f"{count(n)} of {inert(word)}" for word, n in list(files.items())[:_FEW]]
    if len(files) > _FEW:
        rest = sum(list(files.values())[_FEW:])
        kinds.append(f"{count(rest)} of {count(len(files) - _FEW, 'other kind')}")
    return ", ".join(kinds)


def _classes(result: Mapping[str, Any]) -> list[str]:
    counts = result["counts"]
    widths = {part: max(len(part), 9) for part in counts}
    lines = [f"{'class':<{_NAME}}" + "".join(f"  {part:>{width}}" for part, width in widths.items())]
    for k, name in enumerate(result["class_names"][:_ROWS]):
        lines.append(_name(name) + "".join(f"  {counts[part][k]:>{width},}" for part, width in widths.items()))
    return lines + _more(len(result["class_names"]), _ROWS, "classes")


def _name(name: str) -> str:
    """Return a class's name cut and padded to its column, by the width that a terminal gives its letters."""
    from rich.cells import cell_len, set_cell_size

    cell = inert(name) or "?"
    if cell_len(cell) > _NAME:
        cell = set_cell_size(cell, _NAME - 1) + "…"
    return set_cell_size(cell, _NAME)


def _unreadable(broken: Sequence[str]) -> list[str]:
    if not broken:
        return []
    lines = [count(len(broken), "unreadable file")]
    return [*lines, *(f"  {inert(line)}" for line in broken[:_ROWS]), *_more(len(broken), _ROWS, "files")]


def _duplicates(result: Mapping[str, Any]) -> list[str]:
    lines = [] if result["near_searched"] else ["no search for near duplicates: the images are smaller than 8 × 8"]
    if not result["spread"]:
        return [*lines, "no duplicates"]
    lines += [f"{'groups of duplicates':<34}  {'identical':>9}  {'near':>9}  {'above 50':>9}"]
    for row in result["spread"]:
        where = " and ".join(part or "no part" for part in row["parts"])
        place = f"within {where}" if len(row["parts"]) == 1 else f"across {where}"
        if row["parts"] == ["all"]:
            place = "in the data set"
        lines.append(f"{place:<34}  {row['exact']:>9,}  {row['near']:>9,}  {row['large']:>9,}")
    return lines


def _warnings(result: Mapping[str, Any]) -> list[str]:
    texts = [f"{kind}: {inert(text)}" for kind in ("warning", "note") for text in result.get(f"{kind}s") or ()]
    return [line for text in texts for line in _wrapped(text)]


def _wrapped(text: str) -> list[str]:
    """Wrap a text to lines of 80 characters; a longer word, such as a path, stays whole."""
    return textwrap.wrap(text, _WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _more(total: int, shown: int, noun: str) -> list[str]:
    return [f"… and {total - shown:,} more {noun}"] if total > shown else []
