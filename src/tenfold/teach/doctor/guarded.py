"""A user's code, run so that nothing it does ends in a traceback or waits forever: exceptions become one plain line."""

__all__ = ["guarded", "silenced"]

import contextlib
import io
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import FrameType, TracebackType
from typing import TypeVar
from warnings import catch_warnings, simplefilter

import numpy as np

from tenfold.errors import DataError, Interrupted

Aloud = Callable[[], contextlib.AbstractContextManager[None]]
Result = TypeVar("Result")
AGAIN = 0.05  # seconds


class _TookTooLong(BaseException):
    """No Exception: a user's own `except Exception` must not swallow it."""


class _Nowhere(io.TextIOBase):
    """What a user's code prints, a thousand times over for a thousand coordinates, is dropped."""

    def write(self, text: str) -> int:
        return len(text)


def guarded(call: Callable[[], Result], path: Path, doing: str, seconds: float = 0) -> Result:
    """What the call returns; a DataError in one line where it raises, exits, or takes longer than seconds (0: any).

    path: the user's file, whose line is named. doing: what is said of it, such as "importing it".
    """
    try:
        with _quiet(), _limited(seconds):
            return call()
    except _TookTooLong:
        raise DataError(
            f"{path}: {doing} took more than {seconds:g} s: is there a loop without an end, or a wait?"
        ) from None
    except (KeyboardInterrupt, Interrupted):
        raise
    except SyntaxError as error:
        line = f"line {error.lineno}: " if error.lineno and _same(error.filename, path) else ""
        raise DataError(f"{path}: {line}is not Python: {error.msg}") from error
    except EOFError as error:
        raise DataError(f"{path}: {doing} asks for input{_where(error, path)}: nobody answers here") from error
    except SystemExit as error:
        raise DataError(f"{path}: {doing} ends Python{_where(error, path)} (exit code {_said(error.code)})") from error
    except BaseException as error:
        said = f": {_said(error)}".removesuffix(": ")
        told = f"{path}: {doing} raises {type(error).__name__}{_where(error, path)}{said}"
        raise DataError(told[:600]) from error


@contextlib.contextmanager
def silenced() -> Iterator[Aloud]:
    """Nothing reaches the process's own stdout and stderr, however it is written; yields what lets it through again.

    Around many calls, since a user's code may start processes and threads that go on writing after it has returned.
    """
    kept = {number: os.dup(number) for number in (1, 2) if _is_open(number)}
    nothing = os.open(os.devnull, os.O_WRONLY)

    def point(aloud: bool) -> None:
        _flush()
        for number, own in kept.items():
            os.dup2(own if aloud else nothing, number)

    @contextlib.contextmanager
    def through() -> Iterator[None]:
        point(True)
        try:
            yield
        finally:
            point(False)

    try:
        point(False)
        yield through
    finally:
        point(True)
        for number in (*kept.values(), nothing):
            os.close(number)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _flush() -> None:
    """What was written before goes where streams pointed then."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        with contextlib.suppress(OSError, ValueError):
            if stream is not None:
                stream.flush()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without its prints, its questions and its warnings."""
    asked = sys.stdin
    sys.stdin = io.StringIO()
    try:
        with redirect_stdout(_Nowhere()), redirect_stderr(_Nowhere()), np.errstate(all="ignore"), catch_warnings():
            simplefilter("ignore")
            yield
    finally:
        sys.stdin = asked


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Interrupted after so many seconds, where signals are at hand: in the main thread of a Unix process."""
    if not seconds or not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, _ring)
    # Again and again: where the code is at its limit of recursion, the handler itself fails, in whatever way it likes.
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _ring(number: int, frame: FrameType | None) -> None:
    raise _TookTooLong


def _said(error: object) -> str:
    """Its text in one line, "" where it has none, or makes it by code of its own that fails."""
    try:
        return " ".join(str(error).split())
    except Exception:
        return ""


def _where(error: BaseException, path: Path) -> str:
    """Its line in the user's file, the innermost."""
    lines = [frame.lineno for frame in _frames(error.__traceback__) if _same(frame.filename, path)]
    return f" in line {lines[-1]}" if lines else ""


def _frames(trace: TracebackType | None) -> traceback.StackSummary:
    return traceback.extract_tb(trace)


def _same(filename: str | None, path: Path) -> bool:
    return filename is not None and Path(filename) == path.absolute()
