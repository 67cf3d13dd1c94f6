"""An audit on stdout, at most 80 columns in a pipe, where a path stays one unbroken line to copy."""

__all__ = ["print_audit"]

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tenfold.cli.display import inert
from tenfold.cli.layout import print_text

_ROWS = 20
_FEW = 5
_WIDTH = 80
_NAME = 24
_LABEL = 12


def print_audit(result: Mapping[str, Any]) -> None:
    """Counts, files, duplicates and warnings, and the path of the page as the last line."""
    channels, height, width = result["shape"]
    facts = [
        ("data", inert(str(result["data"]))),
        ("images", f"{result['images']:,}, {channels} × {height} × {width}, {result['type']}"),
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
    return f"{entries:,} {'entry' if entries == 1 else 'entries'}" if entries else ""


def _tally(found: Mapping[str, int]) -> str:
    shown = [f"{count:,} of {inert(word)}" for word, count in list(found.items())[:_FEW]]
    if len(found) > _FEW:
        rest = sum(list(found.values())[_FEW:])
        shown.append(f"{rest:,} of {len(found) - _FEW:,} others")
    return ", ".join(shown)


def _classes(result: Mapping[str, Any]) -> list[str]:
    counts = result["counts"]
    widths = {part: max(len(part), 9) for part in counts}
    lines = [f"{'class':<{_NAME}}" + "".join(f"  {part:>{width}}" for part, width in widths.items())]
    for k, name in enumerate(result["class_names"][:_ROWS]):
        lines.append(_name(name) + "".join(f"  {counts[part][k]:>{width},}" for part, width in widths.items()))
    return lines + _more(len(result["class_names"]), _ROWS, "classes")


def _name(name: str) -> str:
    """A name from outside, short enough to leave the numbers their columns, as wide as it takes in a terminal."""
    from rich.cells import cell_len, set_cell_size

    shown = inert(name) or "?"
    if cell_len(shown) > _NAME:
        shown = set_cell_size(shown, _NAME - 1) + "…"
    return set_cell_size(shown, _NAME)


def _unreadable(broken: Sequence[str]) -> list[str]:
    if not broken:
        return []
    lines = [f"{len(broken):,} unreadable {'file' if len(broken) == 1 else 'files'}"]
    return [*lines, *(f"  {inert(line)}" for line in broken[:_ROWS]), *_more(len(broken), _ROWS, "files")]


def _duplicates(result: Mapping[str, Any]) -> list[str]:
    lines = [] if result["near_searched"] else ["only identical images were searched: they are smaller than 8 × 8"]
    if not result["spread"]:
        return [*lines, "no duplicates"]
    lines += [f"{'groups of duplicates':<34}  {'identical':>9}  {'near':>9}  {'above 50':>9}"]
    for row in result["spread"]:
        where = " and ".join(part or "no part" for part in row["parts"])
        told = f"within {where}" if len(row["parts"]) == 1 else f"across {where}"
        if row["parts"] == ["all"]:
            told = "in the data set"
        lines.append(f"{told:<34}  {row['exact']:>9,}  {row['near']:>9,}  {row['large']:>9,}")
    return lines


def _warnings(result: Mapping[str, Any]) -> list[str]:
    texts = [f"{kind}: {inert(text)}" for kind in ("warning", "note") for text in result.get(f"{kind}s") or ()]
    return [line for text in texts for line in _wrapped(text)]


def _wrapped(text: str) -> list[str]:
    """Lines of 80, with words that are longer, paths, left whole."""
    return textwrap.wrap(text, _WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _more(total: int, shown: int, what: str) -> list[str]:
    return [f"… and {total - shown:,} more {what}"] if total > shown else []
