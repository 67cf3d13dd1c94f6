"""Workers of a sweep whose parent is killed: a unit has one writer, and a worker ends with its parent."""

import os
import select
import signal
import subprocess
from pathlib import Path

import pytest
import torch

from tenfold.runs.folder import is_held, sweep
from tenfold.search.request import requested
from tenfold.sessions import begin, resume
from tests.processes import EAGER, started, until

SWEEP = {"data": "digits", "model": "mlp", "hidden": [64], "learning_rate": "0.01,0.1", "folds": 2, "epochs": 40}
WORDS = "sweep digits --model mlp --hidden 64 --learning-rate 0.01,0.1 --folds 2 --jobs 2 --epochs 40"
pytestmark = [
    pytest.mark.usefixtures("unpublished"),
    pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits for the end of processes as Linux can"),
]


def workers(process: subprocess.Popen) -> list[int]:
    """The processes that train for this one."""
    children = map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split())
    return [child for child in children if b"popen_loky" in Path(f"/proc/{child}/cmdline").read_bytes()]


def checkpoints(folder: Path) -> list[Path]:
    return list(folder.glob("units/*/*/checkpoints/*.tenfold"))


@pytest.fixture
def orphans(tmp_path, monkeypatch):
    """Two workers in the middle of their units, stopped, whose parent was killed.

    A stopped process is one that a busy machine has not come to yet.
    """
    with monkeypatch.context() as patch:
        for name, value in {**EAGER, "OMP_NUM_THREADS": "1"}.items():
            patch.setenv(name, value)
        process = started(*WORDS.split(), "--out", str(tmp_path / "run"))
    until(lambda: len({path.parent for path in checkpoints(tmp_path / "run")}) == 2, process)
    handles = [os.pidfd_open(worker) for worker in workers(process)]
    for handle in handles:
        signal.pidfd_send_signal(handle, signal.SIGSTOP)
    process.kill()
    process.wait()  # its pipes stay open in the workers
    process.stdout.close()
    process.stderr.close()
    yield handles
    for handle in handles:
        if not has_ended(handle, 0):
            signal.pidfd_send_signal(handle, signal.SIGKILL)


def has_ended(handle: int, seconds: float) -> bool:
    return bool(select.select([handle], [], [], seconds)[0])


def test_a_resumed_sweep_waits_for_workers_whose_parent_was_killed_and_they_end(orphans, tmp_path):
    assert len(orphans) == 2
    said = []
    litter = next((tmp_path / "run/units").glob("*/*")) / ".tenfold-abc.tmp"
    litter.write_text("being written")
    sweep(tmp_path / "run")
    assert litter.exists(), "taken from a unit that has a writer"

    def watch(event):
        if "still holds" in event.message:
            said.append(event.message)
            for handle in orphans:
                signal.pidfd_send_signal(handle, signal.SIGCONT)
                assert has_ended(handle, 60), "the worker lives on"

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        whole = begin(requested(SWEEP), str(tmp_path / "whole"))
        run = resume(tmp_path / "run", watch)
    finally:
        torch.set_num_threads(threads)
    assert "population 00/0000" in said[0]
    assert run.result["table"] == whole.result["table"]
    for unit in ("00/0000", "00/0001"):
        pair = [(folder / "units" / unit / "metrics.csv").read_bytes() for folder in (run.folder, whole.folder)]
        assert pair[0] == pair[1]
        assert not is_held(run.folder / "units" / unit)
