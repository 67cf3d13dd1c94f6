"""Processes that get a signal at a moment of their own work, so that no test depends on how busy a machine is.

Tenfold writes each file under another name first and then renames it. A moment is the n-th time that a process is about
to rename a file to a path that holds certain words: "checkpoints/", the fifth; or about to import a module of a name.
"""

__all__ = ["Moment", "started", "until"]

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

# A run of a second has a hundred checkpoints, with some steps between two of them.
EAGER = {"TENFOLD_CHECKPOINT_SECONDS": "0.01"}

# Python runs a sitecustomize.py that it meets on its path, in processes that somebody else starts as well.
SCRIPT = """
import os, sys
from contextlib import suppress

left, more = {count}, {more}

def look(event, arguments):
    global left, more
    if event != {event!r}:
        return
    if left > 0:
        left -= {words!r} in str(arguments[1] if event == "os.rename" else arguments[0])
        if left == 0:
            with suppress(FileExistsError):
                os.mkdir({mark!r})
                os.kill(os.getpid(), {number})
    elif more > 0:
        more -= 1
        os.kill(os.getpid(), {number})

sys.addaudithook(look)
"""


class Moment(NamedTuple):
    """When the signal `number` comes; of several processes, the first that is so far gets it, and no second one.

    event: "os.rename" or "import". more: times that it comes again, at the next events of that kind.
    """

    folder: Path
    words: str
    count: int = 1
    number: int = signal.SIGKILL
    event: str = "os.rename"
    more: int = 0

    def environment(self) -> dict[str, str]:
        """Variables of the processes that may get the signal."""
        self.folder.mkdir()
        facts = {**self._asdict(), "number": int(self.number), "mark": str(self._mark)}
        (self.folder / "sitecustomize.py").write_text(SCRIPT.format(**facts))
        path = [str(self.folder), *filter(None, [os.environ.get("PYTHONPATH")])]
        return {"PYTHONPATH": os.pathsep.join(path), **EAGER}

    def came(self) -> bool:
        """Say whether the signal was sent."""
        return self._mark.exists()

    @property
    def _mark(self) -> Path:
        return self.folder / "came"


def started(*words: str, moment: Moment | None = None, prepared: str = "") -> subprocess.Popen:
    """Start `tenfold` in a process whose output is read as text. prepared: Python that it runs before the command."""
    chosen = moment.environment() if moment else {}
    command = [sys.executable, "-m", "tenfold", *words]
    if prepared:
        command = [sys.executable, "-c", f"{prepared}\nfrom tenfold.cli import main; main()", *words]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **chosen}
    )


def until(condition: Callable[[], object], process: subprocess.Popen) -> None:
    """Wait for something that a process does, as long as it lives."""
    while not condition():
        assert process.poll() is None or condition(), "the process ended before it happened"
        time.sleep(0.01)
