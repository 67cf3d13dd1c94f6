"""One prediction of one 32 × 32 image: the NumPy export of a model beside its ONNX export in onnxruntime.

    python benchmarks/bench_export.py [--rounds 7] [--json FILE]

A round is ROUND predictions of one image each, start-up excluded. The models have drawn weights.
"""

import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import torch

import sidebyside
from tenfold.engine.models.convnet import ConvNet
from tenfold.engine.models.linear import Linear
from tenfold.engine.models.mlp import MLP
from tenfold.rooms import find
from tenfold.trained.model import TrainedModel
from tenfold.trained.program import program

SHAPE, PIXELS, ROUND = (3, 32, 32), 3 * 32 * 32, 100
MODELS = {
    "linear": Linear(PIXELS, 10),
    "mlp 256-128": MLP(PIXELS, 10, (256, 128)),
    "fast 16-32-32": ConvNet(SHAPE, 10, "fast", (16, 32, 32), 1),
    "fast 64-256-256": ConvNet(SHAPE, 10),
}


def drawn(model):
    params = {name: tensor.float() for name, tensor in model.init([0], "he").items()}
    params |= {name: tensor.float() for name, tensor in model.buffers(1, torch.rand(99, *model.takes)).items()}
    ones, names = torch.ones(PIXELS), tuple(map(str, range(10)))
    word = type(model).__name__.lower()
    return TrainedModel(word, model, params, ones / 64, -2 * ones, SHAPE, 1 / 255, names, "softmax", {})


def predictions(model, word):
    """What makes ROUND predictions, by the export of that format."""
    entry, folder = find("exports", word), Path(tempfile.mkdtemp())
    place = folder if entry.is_folder else folder / "model.onnx"
    entry.write(program(drawn(model)), place)
    answers = entry.open(place).answers
    image = np.random.default_rng(0).integers(0, 256, (1, *SHAPE)).astype(np.float32)
    return lambda: [answers(image) for _ in range(ROUND)]


if __name__ == "__main__":
    pairs = [(word, name) for name in MODELS for word in ("numpy", "onnx")]
    sidebyside.main(
        "One prediction of one 32 × 32 image by an export",
        {f"{word}: {name}": (partial(predictions, MODELS[name], word), 1) for word, name in pairs},
        [sidebyside.Budget(f"numpy: {name}", f"onnx: {name}", 2.0) for name in MODELS],
    )
