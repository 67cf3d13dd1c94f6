"""A run that is killed, even twice, ends with the bits of one that never was; half a run never looks like a whole."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tenfold.engine.types import State
from tenfold.runs.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

MODEL = "--model mlp --hidden 64-32 --dropout 0.1 --learning-rate 0.01,0.05 --momentum 0.9"
TRAIN = f"train digits {MODEL} --epochs 150 --patience 140"
FIT = "fit digits --limit 600 --minutes 5"
CLOCKS = {"seconds", "images_per_second", "run", "model", "notes", "expected_seconds", "report"}


def start(*words: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-m", "tenfold", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finished(*words: str) -> dict:
    process = start(*words, "--json")
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err.decode()
    return json.loads(out.splitlines()[-1])


def wait_for(condition, process: subprocess.Popen, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    assert condition(), "the run ended before the moment to kill it"


def plain(result):
    """A result without what a clock or a path has a part in."""
    if isinstance(result, dict):
        return {name: plain(value) for name, value in result.items() if name not in CLOCKS}
    return [plain(item) for item in result] if isinstance(result, list) else result


def lines(folder: Path) -> int:
    path = folder / "metrics.csv"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def checkpoints(folder: Path) -> int:
    return len(list((folder / "checkpoints").glob("*.tenfold")))


@pytest.fixture
def quick_checkpoints(monkeypatch):
    """Checkpoints every few steps instead of every two seconds, so that short runs have some."""
    monkeypatch.setenv("TENFOLD_CHECKPOINT_SECONDS", "0.05")


@pytest.mark.parametrize("command", [TRAIN, FIT], ids=["train", "fit"])
def test_a_run_killed_twice_ends_with_the_same_bits(command, tmp_path, quick_checkpoints):
    whole = finished(*command.split(), "--out", str(tmp_path / "whole"))
    folder = tmp_path / "killed"
    process = start(*command.split(), "--out", str(folder))
    wait_for(lambda: lines(folder) > 20 and checkpoints(folder), process)
    process.kill()
    process.wait()
    seen = lines(folder)
    process = start("resume", str(folder))
    wait_for(lambda: lines(folder) > seen + 20, process)
    process.kill()
    process.wait()
    assert json.loads((folder / "status.json").read_text())["state"] == "running"
    assert not (folder / "result.json").exists()
    resumed = finished("resume", str(folder))
    assert plain(resumed) == plain(whole)
    for name in ("metrics.csv", "predictions.csv"):
        assert (folder / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert finished("resume", str(folder)) == resumed


def test_a_kill_in_the_first_second_can_be_resumed(tmp_path):
    folder = tmp_path / "run"
    process = start("train", "digits", "--epochs", "2", "--out", str(folder))
    wait_for(folder.exists, process)
    process.kill()
    process.wait()
    whole = finished("train", "digits", "--epochs", "2", "--out", str(tmp_path / "whole"))
    assert plain(finished("resume", str(folder))) == plain(whole)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_and_says_how_to_go_on(number, code, tmp_path):
    folder = tmp_path / "run"
    process = start(*TRAIN.split(), "--epochs", "100000", "--patience", "0", "--out", str(folder))
    wait_for(lambda: lines(folder) > 10, process)
    asked = time.monotonic()
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert time.monotonic() - asked < 5  # promised: 2 s; the rest is for a busy machine
    assert f"tenfold resume {folder}" in err.decode()
    assert checkpoints(folder) >= 1
    assert (folder / "model.tenfold").exists()
    assert json.loads((folder / "status.json").read_text())["state"] == "interrupted"


def test_only_one_process_writes_a_run(tmp_path):
    folder = tmp_path / "run"
    process = start(*TRAIN.split(), "--epochs", "100000", "--patience", "0", "--out", str(folder))
    wait_for(lambda: lines(folder) > 1, process)
    second = start("resume", str(folder))
    _, err = second.communicate(timeout=60)
    process.kill()
    assert second.returncode == 1
    assert "another process" in err.decode()


def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path, quick_checkpoints):
    whole = finished(*TRAIN.split(), "--out", str(tmp_path / "whole"))
    folder = tmp_path / "run"
    process = start(*TRAIN.split(), "--out", str(folder))
    wait_for(lambda: checkpoints(folder) == 2, process)
    process.kill()
    process.wait()
    newest = max((folder / "checkpoints").glob("*.tenfold"))
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    process = start("resume", str(folder), "--json")
    out, err = process.communicate(timeout=240)
    assert "continuing from the checkpoint before it" in err.decode()
    assert plain(json.loads(out)) == plain(whole)


def test_changed_data_are_refused(tmp_path):
    import numpy as np

    rng = np.random.default_rng(0)
    np.savez(tmp_path / "d.npz", x=rng.random((60, 4), dtype=np.float32), y=np.arange(60) % 3)
    folder = tmp_path / "run"
    process = start("train", str(tmp_path / "d.npz"), "--epochs", "100000", "--out", str(folder))
    wait_for(lambda: lines(folder) > 5, process)
    process.send_signal(signal.SIGINT)
    process.wait()
    np.savez(tmp_path / "d.npz", x=rng.random((60, 4), dtype=np.float32), y=np.arange(60) % 3)
    _, err = (process := start("resume", str(folder))).communicate(timeout=60)
    assert process.returncode == 1
    assert "changed since the run began" in err.decode()


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


def test_a_single_member_is_saved_and_resumed(tmp_path, quick_checkpoints):
    command = ["train", "digits", "--learning-rate", "0.05", "--epochs", "400"]
    whole = finished(*command, "--out", str(tmp_path / "whole"))
    folder = tmp_path / "killed"
    process = start(*command, "--out", str(folder))
    wait_for(lambda: lines(folder) > 20 and checkpoints(folder), process)
    process.kill()
    process.wait()
    assert plain(finished("resume", str(folder))) == plain(whole)
