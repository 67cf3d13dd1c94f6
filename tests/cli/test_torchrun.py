"""Two processes on one machine that torchrun started end where one process does, also when one of them is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import tenfold
from tenfold.choices import recipe
from tenfold.engine.parallel import Team, using
from tenfold.errors import UsageError
from tenfold.sessions import begin, resume
from tenfold.trained.model import load_model
from tests.processes import EAGER, Moment, started, until

CPU = torch.device("cpu")
SMALL = {"data": "digits", "limit": 900, "batch_size": 128, "precision": "float64"}
# Members that see other mirror images, weights of images, noise, batch statistics, a last batch of an odd number.
NETWORK = {
    "model": "convnet", "preset": "resnet", "widths": [8], "depth": 1, "dropout": 0.2, "flip": [0.0, 0.5],
    "class_weight": "balanced", "clip_norm": 0.5, "l2": 0.01, "learning_rate": 0.1, "epochs": 2,
}  # fmt: skip
pytestmark = pytest.mark.usefixtures("unpublished")


def words(choices):
    for name, value in choices.items():
        texts = [str(item) for item in value] if isinstance(value, list) else [str(value)]
        yield from (f"--{name.replace('_', '-')}", ("-" if name in ("widths", "hidden") else ",").join(texts))


def torchrun(*arguments):
    """Two processes of `tenfold`, each with one thread."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "tenfold"]
    environment = {**os.environ, **EAGER, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def follower(process):
    """The process that does not lead."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return next(int(child) for child in children if b"\0RANK=1\0" in Path(f"/proc/{child}/environ").read_bytes())


def numbers(run):
    rows = [line.split(",") for line in (run / "metrics.csv").read_text().splitlines()[1:]]
    return [float(cell) for row in rows for cell in row[1:] if cell]


def test_two_processes_train_the_population_that_one_trains(tmp_path):
    alone = tenfold.train(**{**SMALL, **NETWORK}, out=tmp_path / "alone")
    data, *rest = SMALL.items()
    process = torchrun("train", data[1], *words({**dict(rest), **NETWORK}), "--out", str(tmp_path / "together"))
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert numbers(tmp_path / "together") == pytest.approx(numbers(alone.folder), rel=1e-8)
    ours, theirs = (load_model(folder / "model.tenfold").params for folder in (tmp_path / "together", alone.folder))
    for name, tensor in theirs.items():
        torch.testing.assert_close(ours[name], tensor, rtol=1e-9, atol=1e-11)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds a process by its environment, as on Linux")
def test_a_run_goes_on_with_other_numbers_of_processes_though_one_is_killed(tmp_path):
    folder, choices = tmp_path / "run", {**SMALL, "model": "mlp", "hidden": [16], "learning_rate": 0.1, "epochs": 100}
    arguments = list(words({name: value for name, value in choices.items() if name != "data"}))
    moment = Moment(tmp_path / "moment", "checkpoints/", 2)
    started("train", "digits", *arguments, "--out", str(folder), moment=moment).communicate()
    before = max(folder.glob("checkpoints/*"))
    process = torchrun("resume", str(folder))
    until(lambda: max(folder.glob("checkpoints/*.tenfold"), default=before) > before, process)
    os.kill(follower(process), signal.SIGKILL)
    _, err = process.communicate()
    assert process.returncode
    said = [line for line in err.splitlines() if line.startswith("tenfold: ")]
    assert len(said) == 1
    assert f"continue with `tenfold resume {folder}`" in said[0]
    run, whole = resume(folder), begin(recipe(choices), str(tmp_path / "whole"))
    assert numbers(run.folder) == pytest.approx(numbers(whole.folder), rel=1e-8)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"data": "digits", "kind": "fit"}, "torchrun is for `tenfold train`: start `tenfold fit` without it"),
        ({"data": "digits", "batch_size": 1}, "a batch of 1 cannot be shared by 2 processes"),
    ],
)
def test_what_processes_cannot_share_is_one_plain_line(choices, message, tmp_path):
    with using(Team(0, 2, CPU, CPU)), pytest.raises(UsageError, match=message):
        begin(recipe(choices), str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()
