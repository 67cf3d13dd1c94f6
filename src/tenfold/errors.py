"""Errors that a user can cause. Each is one plain line that names the file, key or option, and says what to do."""

__all__ = [
    "DataError",
    "FileError",
    "Interrupted",
    "LostError",
    "RunError",
    "TenfoldError",
    "UsageError",
    "blamed",
    "nearest",
]

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

MANY = 12


class TenfoldError(Exception):
    """Failure that its message alone explains; the command line prints it without a traceback."""


class UsageError(TenfoldError):
    """Unknown word, option or value: exit code 2."""


class DataError(TenfoldError):
    """Data set, image or archive that is missing, damaged or inconsistent."""


class FileError(TenfoldError):
    """Model file, checkpoint or output that cannot be read or written."""


class RunError(TenfoldError):
    """Run folder that cannot be used as requested."""


class LostError(TenfoldError):
    """Process that is gone, of those that train together."""


class Interrupted(BaseException):
    """Request of the user or the system to stop the run; args: the message, and the exit code (128 + signal).

    It is no Exception: code that expects errors of a file or a library must not catch it.
    """

    def __str__(self) -> str:
        return str(self.args[0])


def nearest(word: str, valid: Iterable[str]) -> str:
    """Return a hint for a mistyped word: the nearest valid one, then all of them where they are few.

    >>> nearest("relo", ["relu", "tanh"])
    "did you mean 'relu'? (known: relu, tanh)"
    """
    words = sorted(valid)
    close = difflib.get_close_matches(word.lower(), words, n=1, cutoff=0.5)
    if close and len(words) > MANY:
        return f"did you mean {close[0]!r}?"
    listed = ", ".join(words)
    return f"did you mean {close[0]!r}? (known: {listed})" if close else f"known: {listed}"


@contextmanager
def blamed(place: str) -> Iterator[None]:
    """Begin a UsageError inside the block with the file, option or statement that it is about; "" for none."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{place[:200]}: {error}" if place else str(error)) from None
