"""The errors that a user can cause, each one plain line that names the file, key or option and says what to do."""

__all__ = ["DataError", "FileError", "Interrupted", "RunError", "TenfoldError", "UsageError", "nearest"]

import difflib
from collections.abc import Iterable

MANY = 12


class TenfoldError(Exception):
    """A failure that is explained by its message alone; the command line prints it without a traceback."""


class UsageError(TenfoldError):
    """An unknown word, option or value: exit code 2."""


class DataError(TenfoldError):
    """A data set, image or archive that is absent, damaged or contradicts itself."""


class FileError(TenfoldError):
    """A model file, checkpoint or output that cannot be read or written."""


class RunError(TenfoldError):
    """A run folder that cannot be used as asked."""


class Interrupted(BaseException):
    """The user or the system asked the run to stop; args: the message, and the exit code (128 + signal).

    No Exception, so that nobody who expects errors of a file or a library takes it for one of those.
    """

    def __str__(self) -> str:
        return str(self.args[0])


def nearest(word: str, known: Iterable[str]) -> str:
    """Sentence that helps after a mistyped word: the nearest known one, then all of them where they are few.

    >>> nearest("relo", ["relu", "tanh"])
    "did you mean 'relu'? (known: relu, tanh)"
    """
    words = sorted(known)
    close = difflib.get_close_matches(word.lower(), words, n=1, cutoff=0.5)
    if close and len(words) > MANY:
        return f"did you mean {close[0]!r}?"
    listed = ", ".join(words)
    return f"did you mean {close[0]!r}? (known: {listed})" if close else f"known: {listed}"
