"""Writes docs/cli.md from the commands' own help: `.venv/bin/python docs/make_cli.py`. A test compares the two."""

from collections.abc import Iterator
from pathlib import Path

import click

from tenfold.cli import tenfold

WIDTH = 100
HEAD = """# The command line

This file is the help of the commands. After a change of an option, regenerate it: `.venv/bin/python docs/make_cli.py`.

Results go to stdout, progress and messages to stderr. With `--json` the last line of stdout is one JSON object, an
error too. Every command takes `--debug`, which shows the traceback of an error. Exit codes: 0 done, 1 failed, 2 usage,
130 Ctrl-C, 143 SIGTERM.

The options of `train` are the fields of the recipe, with dashes for underscores. Commas separate values, each of them
a member of the population: `--learning-rate 0.01,0.03`. Dashes separate the widths of hidden layers:
`--hidden 256-128`. The default is in brackets.
"""


def text() -> str:
    """The whole of docs/cli.md."""
    return HEAD + "".join(f"\n## {name}\n\n```text\n{shown}\n```\n" for name, shown in _helps(tenfold, "tenfold", None))


def _helps(command: click.Command, name: str, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    """Full name and help of a command, then of those below it, in their order."""
    context = command.make_context(name, [], parent, resilient_parsing=True, terminal_width=WIDTH)
    yield context.command_path, "\n".join(line.rstrip() for line in context.get_help().splitlines())
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            assert found, below
            yield from _helps(found, below, context)


if __name__ == "__main__":
    Path(__file__).with_name("cli.md").write_text(text(), encoding="utf-8")
