"""A convolutional network enters by its file alone: it trains, mirrors, is saved, loaded, evaluated and has a card."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tenfold.data.batches import Changes, Part, sampler
from tests.engine.cases import relative
from tests.engine.visiting.tiny_conv import TinyConv

MODEL = TinyConv((2, 6, 5), 3, 4, "tanh")
VISIT = """
import sys, tenfold.engine.models
tenfold.engine.models.__path__.append(sys.argv.pop(1))
from tenfold.cli import main
main()
"""


def command(*words):
    """What a command prints last, where the room models has one more file."""
    call = [sys.executable, "-c", VISIT, str(Path(__file__).parent / "visiting"), *map(str, words)]
    ended = subprocess.run(call, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_its_pullback_is_that_of_autograd(draw):
    params, x = MODEL.init([0, 1]), draw(7, *MODEL.takes)
    scores, pull, _ = MODEL.forward(params, {}, x, {})
    dz = draw(*scores.shape)
    dx, grads = pull(dz, need_dx=True)
    leaves = {name: leaf.clone().requires_grad_() for name, leaf in params.items()}
    images = x.clone().requires_grad_()
    wanted = torch.autograd.grad(MODEL.predict(leaves, {}, images), [images, *leaves.values()], dz)
    for ours, oracle in zip((dx, *(grads[name] for name in leaves)), wanted, strict=True):
        assert relative(ours, oracle) < 1e-12


def test_its_weights_have_the_deviation_of_their_inputs():
    kernels = TinyConv((3, 8, 8), 10, 2000, "relu").init([0], "he")["kernels.weight"]
    assert kernels.shape == (1, 2000, 3, 3, 3)
    assert float(kernels.std()) == pytest.approx((2 / 27) ** 0.5, rel=0.02)


def test_its_batches_are_standardized_images(rng):
    images = torch.from_numpy(rng.integers(0, 256, (20, 2, 6, 5))).to(torch.uint8)
    factor, offset = (torch.from_numpy(rng.random(60)) for _ in range(2))
    part = Part(images, torch.arange(20), torch.arange(20), factor, offset)
    batch = sampler(part, 20, 0, "shuffle", Changes(), MODEL.takes, MODEL.noise)(0)
    wanted = images.double() * factor.view(2, 6, 5) + offset.view(2, 6, 5)
    torch.testing.assert_close(batch.inputs, wanted[batch.targets])


def test_it_trains_on_digits_and_comes_back_from_its_file(tmp_path):
    choices = "--kernels 6 --activation tanh --learning-rate 0.01,0.03 --flip 0,0.1 --momentum 0.9 --epochs 4"
    assert "tiny_conv: number of kernels" in command("train", "--help")
    words = ("train", "digits", "--model", "tiny_conv", *choices.split(), "--out", tmp_path / "run", "--json")
    result = json.loads(command(*words).splitlines()[-1])
    assert result["test"]["accuracy"] > 0.9
    assert "kernels = 6" in (tmp_path / "run" / "recipe.toml").read_text()
    again = json.loads(command("evaluate", tmp_path / "run", "digits", "--json").splitlines()[-1])
    assert again["accuracy"] == result["test"]["accuracy"]
    assert "6 kernels of 3 × 3" in (tmp_path / "run" / "model.md").read_text()
    assert not (tmp_path / "run" / "figures" / "templates.svg").exists()


def test_its_numbers_are_axes_of_a_sweep(tmp_path):
    choices = "--model tiny_conv,linear --kernels 2,3 --learning-rate 0.01 --epochs 1 --limit 300 --out"
    result = json.loads(command("sweep", "digits", *choices.split(), tmp_path / "run", "--json").splitlines()[-1])
    settings = [row["settings"] for row in result["table"]]
    assert sorted(row.get("kernels", 0) for row in settings) == [0, 2, 3]
