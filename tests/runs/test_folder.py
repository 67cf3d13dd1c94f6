"""The run folder: what a kill in its first milliseconds leaves goes with the next run beside it."""

import signal

import filelock

from tenfold.choices import recipe
from tenfold.runs.environment import environment
from tenfold.runs.folder import create
from tests.processes import Moment, started


def hidden(folder):
    return sorted(path for path in folder.iterdir() if path.name.startswith("."))


def test_what_a_kill_before_the_run_had_its_name_leaves_is_swept_and_nothing_else(tmp_path):
    runs = tmp_path / "runs"
    for count, words in enumerate(("recipe.toml", "status.json")):
        moment = Moment(tmp_path / f"moment {count}", words)
        process = started("train", "digits", "--epochs", "1", "--out", str(runs / f"killed{count}"), moment=moment)
        _, err = process.communicate()
        assert process.returncode == -signal.SIGKILL, err
        assert [path.name for path in runs.iterdir()] == [path.name for path in hidden(runs)]
    (left,) = hidden(runs)  # the second has swept what was left of the first
    held, other = runs / ".tenfold-run-abcdefgh", runs / ".mine-abcdefgh"
    held.mkdir()
    other.mkdir()
    with filelock.FileLock(held / ".lock"):
        create(runs / "run", recipe({"data": "digits"}), environment([], ""))
        assert hidden(runs) == [other, held]
    assert not left.exists()
    create(runs / "next", recipe({"data": "digits"}), environment([], ""))
    assert hidden(runs) == [other]
    assert sorted(path.name for path in (runs / "next").iterdir()) == [
        ".lock",
        "env.json",
        "metrics.csv",
        "recipe.toml",
        "status.json",
    ]
