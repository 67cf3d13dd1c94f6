"""Progress on stderr: the rung in training, its speed, the best so far, the time left."""

__all__ = ["display"]

import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tenfold.text import ABSENT, inert, percent

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

    from tenfold.runs.events import Event

_INTERVAL = 0.2


@contextmanager
def display(quiet: bool) -> "Iterator[Callable[[Event], None]]":
    """Yield the function to call with each event of a run.

    In a terminal it redraws two lines at most five times a second, in the caller's own thread, and prints messages
    above them. Elsewhere, and if quiet, it prints only the messages, a line each.
    """
    if quiet or not _in_terminal():
        yield _write
    else:
        with _live() as live:
            yield _redraw(live)


def _in_terminal() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")


def _write(event: "Event") -> None:
    import click

    if event.message:
        click.echo(inert(event.message), err=True)


def _live() -> "Live":
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True, highlight=False, emoji=False)
    # No thread of its own, which would take time from what is measured; stdout is the results' and stays untouched.
    return Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False)


def _redraw(live: "Live") -> "Callable[[Event], None]":
    from rich.text import Text

    drawn, rung = -math.inf, ""

    def show(event: "Event") -> None:
        nonlocal drawn, rung
        if event.message:
            live.console.print(Text(inert(event.message)), soft_wrap=True)
        now = time.monotonic()
        if event.rung != rung or now - drawn >= _INTERVAL:
            drawn, rung = now, event.rung
            live.update(_lines(event), refresh=True)

    return show


def _lines(event: "Event") -> "RenderableType":
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    if not event.rung:
        return Text("")
    bar = ProgressBar(total=event.total or 1.0, completed=event.done, width=24)
    first = Table.grid(padding=(0, 2))
    first.add_column(max_width=28, no_wrap=True, overflow="ellipsis")
    first.add_row(Text(inert(event.rung), style="bold"), bar, _place(event), _left(event))
    second = Text("  ".join(part for part in (_best(event), _speed(event)) if part), style="dim")
    second.no_wrap, second.overflow = True, "ellipsis"
    return Group(first, second)


def _place(event: "Event") -> str:
    """Return how far the work is.

    >>> from tenfold.runs.events import Event
    >>> _place(Event("linear", 1.25, 9.0)), _place(Event("reading images", 1200, 60000, unit=""))
    ('epoch 1.2 of 9', '1,200 of 60,000')
    """
    if event.unit == "epoch":
        return f"epoch {event.done:.1f} of {event.total:g}"
    return f"{event.done:,.0f} of {event.total:,.0f}"


def _best(event: "Event") -> str:
    if not math.isfinite(event.best) or not event.best_rung:
        return f"best so far {ABSENT}" if event.unit == "epoch" else ""
    return f"best so far {percent(event.best)} % ({inert(event.best_rung)})"


def _speed(event: "Event") -> str:
    return f"{event.images_per_second:,.0f} images/s" if event.images_per_second > 0 else ""


def _left(event: "Event") -> str:
    """Return the time left as minutes:seconds, with hours where there are some.

    >>> from tenfold.runs.events import Event
    >>> _left(Event("linear", 1.0, 9.0, 1e6, 0.4, "linear", 3725.2))
    '1:02:05 left'
    """
    if not math.isfinite(event.seconds_left):
        return ""
    minutes, seconds = divmod(max(round(event.seconds_left), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02} left" if hours else f"{minutes}:{seconds:02} left"
