"""A user's code, run so that nothing it does ends in a traceback or waits forever: exceptions become one plain line."""

__all__ = ["guarded", "silenced"]

import io
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, redirect_stderr, redirect_stdout, suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TypeVar
from warnings import catch_warnings, simplefilter

import numpy as np

from tenfold.errors import DataError, Interrupted

Result = TypeVar("Result")
AGAIN = 0.05  # seconds


class _TookTooLong(BaseException):
    """No Exception: a user's own `except Exception` must not swallow it."""


class _Nowhere(io.TextIOBase):
    """A stream that drops a user's prints, a thousand times over for a thousand coordinates."""

    def write(self, text: str) -> int:
        return len(text)


def guarded(call: Callable[[], Result], path: Path, doing: str, seconds: float = 0) -> Result:
    """Return the call's result; a DataError in one line where it raises, exits, or takes longer than seconds (0: any).

    path: the user's file, whose line is named. doing: what is said of it, such as "importing it".
    """
    try:
        with _quiet(), _limited(seconds):
            return call()
    except _TookTooLong:
        loop = "is there a loop without an end, or a wait?"
        raise DataError(f"{path}: {doing} took more than {seconds:g} s: {loop}") from None
    except (KeyboardInterrupt, Interrupted):
        raise
    except SyntaxError as error:
        line = f"line {error.lineno}: " if error.lineno and Path(error.filename or "") == path.absolute() else ""
        raise DataError(f"{path}: {line}is not Python: {error.msg}") from error
    except EOFError as error:
        raise DataError(f"{path}: {doing} asks for input{_where(error, path)}: nobody answers here") from error
    except SystemExit as error:
        raise DataError(f"{path}: {doing} ends Python{_where(error, path)} (exit code {_text(error.code)})") from error
    except BaseException as error:
        says = f"{path}: {doing} raises {type(error).__name__}{_where(error, path)}: {_text(error)}"
        raise DataError(says.removesuffix(": ")[:600]) from error


@contextmanager
def silenced() -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """Keep everything from the process's stdout and stderr, however it is written; yield what lets it through again.

    Around many calls, since a user's code may start processes and threads that go on writing after it has returned.
    """
    kept = {}
    for number in (1, 2):
        with suppress(OSError):  # it is closed
            kept[number] = os.dup(number)
    nothing = os.open(os.devnull, os.O_WRONLY)
    silent = dict.fromkeys(kept, nothing)
    try:
        with _pointed(silent, kept):
            yield partial(_pointed, kept, silent)
    finally:
        for number in (*kept.values(), nothing):
            os.close(number)


@contextmanager
def _pointed(there: Mapping[int, int], back: Mapping[int, int]) -> Iterator[None]:
    _point(there)
    try:
        yield
    finally:
        _point(back)


def _point(streams: Mapping[int, int]) -> None:
    """Point streams elsewhere, once what was written before is where they pointed then."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        with suppress(OSError, ValueError):
            if stream is not None:
                stream.flush()
    for number, target in streams.items():
        os.dup2(target, number)


@contextmanager
def _quiet() -> Iterator[None]:
    stdin = sys.stdin
    sys.stdin = io.StringIO()
    try:
        with redirect_stdout(_Nowhere()), redirect_stderr(_Nowhere()), np.errstate(all="ignore"), catch_warnings():
            simplefilter("ignore")
            yield
    finally:
        sys.stdin = stdin


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Interrupt after so many seconds, where signals are at hand: in the main thread of a Unix process."""
    if not seconds or not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        raise _TookTooLong

    before = signal.signal(signal.SIGALRM, ring)
    # Again and again: where the code is at its limit of recursion, the handler itself fails, in whatever way it likes.
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _text(error: object) -> str:
    """Return its text in one line, "" where it has none, or makes it by code of its own that fails."""
    try:
        return " ".join(str(error).split())
    except Exception:
        return ""


def _where(error: BaseException, path: Path) -> str:
    """Name its line in the user's file, the innermost."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == path.absolute()]
    return f" in line {lines[-1]}" if lines else ""
