"""A run that is killed, even twice, ends with the bits of one that never was; half a run never looks like a whole."""

import io
import json
import shutil
import signal
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest
import torch

from tenfold.choices import recipe
from tenfold.cli import main
from tenfold.engine.types import State
from tenfold.errors import FileError, Interrupted, RunError
from tenfold.runs import fit
from tenfold.runs.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from tenfold.runs.folder import opened
from tenfold.sessions import begin, resume
from tests.processes import Moment, started, until

MODEL = "--model mlp --hidden 64-32 --dropout 0.1 --learning-rate 0.01,0.05 --momentum 0.9"
TRAIN = f"train digits {MODEL} --epochs 150 --patience 140"
ENDLESS = f"{TRAIN} --epochs 100000 --patience 0"
# The first rung and the one that drops members, both short: the two that a run can be killed in.
SHORT = {"LADDER": fit.LADDER[::3], "LEAST": 200}
FIT = "fit digits --limit 600 --minutes 600"
PREPARED = "from tenfold.runs import fit; fit.LADDER, fit.LEAST = fit.LADDER[::3], 200"
pytestmark = pytest.mark.usefixtures("unpublished")
CLOCKS = {"seconds", "images_per_second", "run", "model", "notes", "expected_seconds", "report"}


def finished(*words: str) -> dict:
    """What a command prints that comes to its end, in this process."""
    printed = io.StringIO()
    with redirect_stdout(printed), pytest.raises(SystemExit) as ended:
        main([*words, "--json"])
    assert not ended.value.code
    return json.loads(printed.getvalue().splitlines()[-1])


def killed(moment: Moment, *words: str, prepared: str = "") -> None:
    """Run a command in a process that is killed at a moment of its work."""
    process = started(*words, moment=moment, prepared=prepared)
    _, err = process.communicate()
    assert process.returncode == -signal.SIGKILL, err


def plain(result):
    """A result without what a clock or a path has a part in."""
    if isinstance(result, dict):
        return {name: plain(value) for name, value in result.items() if name not in CLOCKS}
    return [plain(item) for item in result] if isinstance(result, list) else result


def lines(folder: Path) -> int:
    path = folder / "metrics.csv"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def checkpoints(folder: Path) -> list[Path]:
    """Those that are whole, the newest last."""
    return sorted((folder / "checkpoints").glob("*.tenfold"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory, unpublished):
    """Folder and result of the training that nothing stops."""
    folder = tmp_path_factory.mktemp("train") / "whole"
    return folder, finished(*TRAIN.split(), "--out", str(folder))


@pytest.fixture
def whole_fit(tmp_path, monkeypatch):
    """Folder and result of a fit on a short ladder that nothing stops; those that follow climb the same ladder."""
    for name, value in SHORT.items():
        monkeypatch.setattr(fit, name, value)
    folder = tmp_path / "whole"
    return folder, finished(*FIT.split(), "--out", str(folder))


@pytest.mark.parametrize(
    ("command", "wanted", "prepared", "second"),
    [
        (TRAIN, "whole", "", ("checkpoints/", 3)),
        (FIT, "whole_fit", PREPARED, ("models/linear-softmax.tenfold", 1)),
    ],
    ids=["train", "fit"],
)
def test_a_run_killed_twice_ends_with_the_same_bits(command, wanted, prepared, second, tmp_path, request):
    place, result = request.getfixturevalue(wanted)
    folder = tmp_path / "killed"
    killed(Moment(tmp_path / "first", "checkpoints/", 3), *command.split(), "--out", str(folder), prepared=prepared)
    before = checkpoints(folder)
    assert len(before) == 2
    killed(Moment(tmp_path / "second", *second), "resume", str(folder), prepared=prepared)
    assert checkpoints(folder)[-1] > before[-1]
    assert json.loads((folder / "status.json").read_text())["state"] == "running"
    assert not (folder / "result.json").exists()
    resumed = finished("resume", str(folder))
    assert plain(resumed) == plain(result)
    for name in ("metrics.csv", "predictions.csv"):
        assert (folder / name).read_bytes() == (place / name).read_bytes()
    assert finished("resume", str(folder)) == resumed


def test_a_kill_in_the_first_second_can_be_resumed(tmp_path):
    folder = tmp_path / "run"
    killed(Moment(tmp_path / "moment", "run/splits.npz"), "train", "digits", "--epochs", "2", "--out", str(folder))
    whole = finished("train", "digits", "--epochs", "2", "--out", str(tmp_path / "whole"))
    assert plain(finished("resume", str(folder))) == plain(whole)


# How soon it saves is measured by benchmarks/bench_signals.py.
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_and_says_how_to_go_on(number, code, tmp_path):
    folder = tmp_path / "run"
    process = started(*ENDLESS.split(), "--out", str(folder))
    until(lambda: lines(folder) > 10, process)
    process.send_signal(number)
    _, err = process.communicate()
    assert process.returncode == code
    assert f"tenfold resume {folder}" in err
    assert len(checkpoints(folder)) >= 1
    assert (folder / "model.tenfold").exists()
    assert json.loads((folder / "status.json").read_text())["state"] == "interrupted"


def stopped(folder: Path, when, **choices) -> None:
    """Train without an end in this process, and interrupt that at the first event at which when() holds."""

    def watch(event):
        if when():
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Interrupted):
        begin(recipe({"epochs": 100_000, **choices}), str(folder), watch=watch)


def test_only_one_process_writes_a_run(tmp_path):
    folder, seconds = tmp_path / "run", []

    def another():
        if lines(folder) > 1 and not seconds:
            command = [sys.executable, "-m", "tenfold", "resume", str(folder)]
            seconds.append(subprocess.run(command, capture_output=True, text=True, check=False))
        return seconds

    stopped(folder, another, data="digits")
    assert seconds[0].returncode == 1
    assert "another process" in seconds[0].stderr


def test_a_damaged_checkpoint_falls_back_to_the_one_before(whole, tmp_path, capsys):
    folder = tmp_path / "run"
    killed(Moment(tmp_path / "moment", "checkpoints/", 3), *TRAIN.split(), "--out", str(folder))
    assert len(checkpoints(folder)) == 2
    newest = checkpoints(folder)[-1]
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    resumed = finished("resume", str(folder))
    assert "continuing from the checkpoint before it" in capsys.readouterr().err
    assert plain(resumed) == plain(whole[1])


def test_changed_data_are_refused(tmp_path):
    import numpy as np

    rng, data, folder = np.random.default_rng(0), tmp_path / "d.npz", tmp_path / "run"
    np.savez(data, x=rng.random((60, 4), dtype=np.float32), y=np.arange(60) % 3)
    stopped(folder, lambda: lines(folder) > 5, data=str(data))
    np.savez(data, x=rng.random((60, 4), dtype=np.float32), y=np.arange(60) % 3)
    with pytest.raises((FileError, RunError), match="changed since the run began"):
        resume(folder)


@pytest.mark.parametrize(
    ("line", "edited", "change"),
    [
        ("epochs = 100000", "epochs = 9", "epochs 9, was 100000"),
        ("learning_rate = 0.02", "learning_rate = 0.1", r"learning_rate 0\.1, was 0\.02"),
        ('optimizer = "sgd"', 'optimizer = "adam"', "optimizer adam, was sgd"),
        ("l2 = 0.0\n", "", None),
    ],
    ids=["epochs", "learning rate", "optimizer", "the same"],
)
def test_an_edited_recipe_is_refused(line, edited, change, tmp_path):
    folder = tmp_path / "run"
    stopped(folder, lambda: lines(folder) > 5, learning_rate=0.02)
    path = folder / "recipe.toml"
    before = path.read_text()
    assert line in before
    path.write_text(before.replace(line, edited))
    if change is None:
        assert opened(folder)[1] == "interrupted"
        return
    with pytest.raises(RunError, match=rf"recipe\.toml was edited since the run began \({change}\).*train --recipe"):
        resume(folder)
    path.write_text(before)
    assert opened(folder)[0].epochs == 100000


def test_a_run_of_an_older_version_with_an_edited_recipe_is_refused(tmp_path):
    shutil.copytree(Path(__file__).parents[1] / "fixtures" / "old_runs" / "killed", tmp_path / "run")
    opened(tmp_path / "run")
    path = tmp_path / "run" / "recipe.toml"
    assert "clip_norm = 0.0" in path.read_text()
    path.write_text(path.read_text().replace("clip_norm = 0.0", "clip_norm = 3.0"))
    with pytest.raises(RunError, match="clip_norm 3, was 0"):
        opened(tmp_path / "run")


@pytest.mark.parametrize("kept", [True, False], ids=["older kept", "none readable"])
def test_checkpoints_after_damaged_ones_are_kept(kept, tmp_path):
    state = State(3, {"w": torch.ones(1, 2)}, {}, {}, torch.zeros(1, dtype=torch.int64))
    for number in (1, 2):
        save_checkpoint(tmp_path, number, Checkpoint(state._replace(step=number), {}, {}))
    for path in sorted(tmp_path.iterdir())[kept:]:
        path.write_bytes(b"damaged")
    number, found, warning = load_checkpoint(tmp_path)
    assert number == 2
    assert found.state.step == 1 if kept else found is None
    assert ("the checkpoint before it" if kept else "starts again") in warning
    save_checkpoint(tmp_path, number + 1, Checkpoint(state, {}, {}))
    assert load_checkpoint(tmp_path)[1].state.step == 3


@pytest.mark.parametrize(
    "choices",
    [
        "--learning-rate 0.05 --epochs 100",
        "--model convnet --widths 4-6 --batch-size 100 --epochs 6 --flip 0.5 --patience 3",
    ],
    ids=["linear", "convnet"],
)
def test_a_single_member_is_saved_and_resumed(choices, tmp_path):
    command = ["train", "digits", *choices.split()]
    whole = finished(*command, "--out", str(tmp_path / "whole"))
    folder = tmp_path / "killed"
    killed(Moment(tmp_path / "moment", "checkpoints/", 2), *command, "--out", str(folder))
    assert plain(finished("resume", str(folder))) == plain(whole)
