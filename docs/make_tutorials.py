"""Runs the examples of docs/tutorials and writes their outputs anew: `.venv/bin/python docs/make_tutorials.py`.

A ```toml title="net.toml" block is a file, written first. A ```console block has "$ tenfold …" (or "$ cat FILE"), a
```python block ">>> …", each with its output below it, in which a line "…" stands for lines left out.
"""

import doctest
import os
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout, suppress
from difflib import SequenceMatcher
from io import StringIO
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tenfold.cli import main

TUTORIALS = Path(__file__).parent / "tutorials"
BLOCK = re.compile(r'^```(\w+)(?: title="([^"\n]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
# A prompt with the lines that a backslash at the end goes on to.
COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n", re.MULTILINE)
LEFT_OUT = "…"
# What tells a program how wide and colorful its output may be.
PLAIN = {"NO_COLOR": "1", "COLUMNS": "80", "TERM": "dumb"}


def text(page: str) -> str:
    """A page with the outputs that its examples have now; they run in this process, in a folder of their own."""
    names: dict[str, Any] = {"__name__": "__main__"}
    before = dict(os.environ)
    with TemporaryDirectory(prefix="tenfold-tutorial-") as folder, chdir(folder):
        os.environ |= PLAIN
        try:
            return BLOCK.sub(lambda block: _block(block, names), page)
        finally:
            os.environ.clear()
            os.environ |= before


def _block(block: re.Match[str], names: dict[str, Any]) -> str:
    kind, title, inside = block.groups()
    if title:
        if Path(title).name != title:
            raise ValueError(f"{title}: a file of an example lies beside it")
        Path(title).write_text(inside, encoding="utf-8")
    elif kind == "console":
        inside = _console(inside)
    elif kind == "python" and ">>>" in inside:
        inside = "".join(_python(inside, names))
    return f"{block[0].partition(chr(10))[0]}\n{inside}```"


def _console(inside: str) -> str:
    """The commands, each with its output."""
    before, *pieces = COMMAND.split(inside)
    if before.strip():
        raise ValueError(f'a console block begins with "$ tenfold …", not with {before.strip()[:40]!r}')
    told = zip(pieces[::2], pieces[1::2], strict=True)
    return "".join(f"$ {command}\n{_lines(fitted(shown.splitlines(), _run(command)))}" for command, shown in told)


def _lines(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _run(command: str) -> list[str]:
    """What a command prints, results and messages in one."""
    program, *words = shlex.split(command.replace("\\\n", " "))
    if program == "cat":
        return [line for word in words for line in Path(word).read_text(encoding="utf-8").splitlines()]
    if program != "tenfold":
        raise ValueError(f"{program}: an example runs tenfold, or cat")
    with redirect_stdout(StringIO()) as out, redirect_stderr(out), suppress(SystemExit):
        main(words)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def _python(inside: str, names: dict[str, Any]) -> Iterator[str]:
    """The examples after their prompts, each with its output."""
    for piece in doctest.DocTestParser().parse(inside):
        if isinstance(piece, str):
            yield piece
            continue
        first, *rest = piece.source.splitlines()
        yield f">>> {first}\n" + "".join(f"... {line}".rstrip() + "\n" for line in rest)
        yield _lines(fitted(piece.want.splitlines(), _evaluated(piece.source, names)))


def _evaluated(source: str, names: dict[str, Any]) -> list[str]:
    """What an interactive session shows, an exception as doctest has it."""
    with redirect_stdout(StringIO()) as out:
        try:
            exec(compile(source, "<tutorial>", "single"), names)
        except Exception as error:
            print(f"Traceback (most recent call last):\n    ...\n{type(error).__name__}: {error}")  # noqa: T201
    return [line.rstrip() for line in out.getvalue().splitlines()]


def fitted(shown: Sequence[str], actual: Sequence[str]) -> list[str]:
    """The output as a page shows it: as it is, less what the page left out before.

    >>> fitted(["a", "…", "d"], ["a", "b", "c", "d"]), fitted(["a", "…", "x"], ["a", "b", "c", "d"])
    (['a', '…', 'd'], ['a', '…', 'd'])
    """
    if LEFT_OUT not in shown:
        return list(actual)
    kept = [list(lines) for left_out, lines in groupby(shown, LEFT_OUT.__eq__) if not left_out]
    start, found = 0, []
    for number, piece in enumerate(kept):
        first, last = number == 0 and shown[0] != LEFT_OUT, number == len(kept) - 1 and shown[-1] != LEFT_OUT
        at = 0 if first else max(start, len(actual) - len(piece)) if last else _where(piece, actual, start)
        found += [LEFT_OUT] * (at > start) + list(actual[at : at + len(piece)])
        start = at + len(piece)
    return found + [LEFT_OUT] * (start < len(actual))


def _where(piece: Sequence[str], actual: Sequence[str], start: int) -> int:
    """Where lines stand in the output, or what is most like them."""
    places = range(start, max(start, len(actual) - len(piece)) + 1)
    return max(
        places, key=lambda at: SequenceMatcher(None, _lines(piece), _lines(actual[at : at + len(piece)])).ratio()
    )


if __name__ == "__main__":
    for path in [Path(word) for word in sys.argv[1:]] or sorted(TUTORIALS.glob("*.md")):
        path.write_text(text(path.read_text(encoding="utf-8")), encoding="utf-8")
