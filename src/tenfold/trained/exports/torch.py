"""A folder with one model.py, a plain nn.Module, its weights in safetensors and the names of the classes.

It needs torch alone, and can be trained further: its layers are torch's own.
"""

__all__ = ["torch"]

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import from_numpy, inference_mode

from tenfold.files import save, write_text
from tenfold.trained import in_torch
from tenfold.trained.export import (
    Export,
    Opened,
    inputs_of,
    listed,
    mix_text,
    operations_text,
    python_file,
    reshape_text,
    template,
    write_classes,
)
from tenfold.trained.program import Operation, Program, identifier

SCRIPT, WEIGHTS = "model.py", "weights.safetensors"
IMPORTS = (
    "import json",
    "from pathlib import Path",
    "",
    "import torch",
    "from torch import Tensor, nn",
    "from torch.nn import functional",
    "",
    "HERE = Path(__file__).parent",
    'CLASSES = json.loads((HERE / "classes.json").read_text(encoding="utf-8"))',
)
# What torch's own batch normalization calls its tensors.
_ROLES = {"gain": "weight", "mean": "running_mean", "variance": "running_var"}


def _write(program: Program, folder: Path) -> None:
    tensors = {_key(one, name): from_numpy(program.arrays[name]) for one in program.operations for name in one.arrays}
    save(folder / WEIGHTS, tensors, {"kind": "tenfold torch export"})
    write_classes(program, folder)
    write_text(folder / SCRIPT, _script(program))


def _key(one: Operation, array: str) -> str:
    """Return the name of an array in the module's state."""
    name, role = identifier(one.name), array.rpartition(".")[2]
    if one.kind in _MODULES:
        return f"{name}.{_ROLES.get(role, role) if one.kind == 'batch_norm' else role}"
    return f"{name}_{role}"


def _script(program: Program) -> str:
    shape = ", ".join(map(str, program.shape))
    docstring = (
        "An image classifier as a module of torch: `load()` returns it with its weights.\n\n"
        f"Exported by Tenfold. The model: {program.describe}.\n"
    )
    made = "".join(f"        {line}\n" for one in program.operations for line in _made(program, one))
    steps = operations_text(program, _EXPRESSIONS).replace("\n    ", "\n        ")
    classifier = (
        "class Classifier(nn.Module):\n"
        f'    """Images (n, {shape}), {program.numbers}, to probabilities (n, {len(program.class_names)})."""\n\n'
        "    def __init__(self) -> None:\n"
        "        super().__init__()\n"
        f"{made}\n"
        "    def forward(self, images: Tensor) -> Tensor:\n"
        '        """Return the probabilities of the classes, in the order of CLASSES."""\n'
        "        return self.logits(images).softmax(-1)\n\n"
        "    def logits(self, images: Tensor) -> Tensor:\n"
        '        """Return calibrated scores, whose softmax are the probabilities."""\n'
        "        images = images.float()\n"
        f"    {steps}"
        f"        return {inputs_of(program.operations[-1])[0]}\n"
    )
    load = (
        "def load() -> Classifier:\n"
        '    """Return the classifier with its weights, ready to predict."""\n'
        "    model = Classifier()\n"
        f'    model.load_state_dict(weights(HERE / "{WEIGHTS}"))\n'
        "    return model.eval()\n"
    )
    kinds = {one.kind for one in program.operations}
    called = [function for kind, function in _CALLED.items() if kind in kinds]
    return python_file(docstring, IMPORTS, [classifier, load, *listed([in_torch.weights, *called])])


def _made(program: Program, one: Operation) -> list[str]:
    """Return the lines that make the module, or the buffers, of an operation."""
    shapes = [program.arrays[name].shape for name in one.arrays]
    if one.kind in _MODULES:
        return [f"self.{identifier(one.name)} = {_MODULES[one.kind](one, shapes)}"]
    keys = [_key(one, name) for name in one.arrays]
    return [f'self.register_buffer("{key}", torch.zeros{shape})' for key, shape in zip(keys, shapes, strict=True)]


def _open(folder: Path) -> Opened:
    model = runpy.run_path(str(folder / SCRIPT))["load"]()

    def answers(images: NDArray[np.float32]) -> NDArray[Any]:
        with inference_mode():
            return np.asarray(model(from_numpy(images)))

    return Opened(answers)


Shapes = list[tuple[int, ...]]


def _linear(one: Operation, shapes: Shapes) -> str:
    outputs, inputs = shapes[0]
    return f"nn.Linear({inputs}, {outputs})"


def _conv2d(one: Operation, shapes: Shapes) -> str:
    (outputs, inputs, size, _), settings = shapes[0], one.settings
    bias = len(shapes) > 1
    return f"nn.Conv2d({inputs}, {outputs}, {size}, {settings['stride']}, {settings['padding']}, bias={bias})"


def _batch_norm(one: Operation, shapes: Shapes) -> str:
    return f"nn.BatchNorm2d({shapes[0][0]}, eps={one.settings['epsilon']!r})"


_MODULES = {"linear": _linear, "conv2d": _conv2d, "batch_norm": _batch_norm}
"""Operation -> what writes the making of the module of torch that it is."""


def _on(form: str) -> Callable[[Operation], str]:
    """Return what writes an operation on one value in a form; see `template`."""
    return template(form, lambda one, name: f"self.{_key(one, name)}")


def _called(one: Operation) -> str:
    return f"self.{identifier(one.name)}({inputs_of(one)[0]})"


def _mean_of_views(one: Operation) -> str:
    weights, x = one.settings["weights"], inputs_of(one)[0]
    return f"sum(weight * z for weight, z in zip({weights}, {x}.chunk({len(weights)}), strict=True))"


_EXPRESSIONS: dict[str, Callable[[Operation], str]] = {
    **dict.fromkeys(_MODULES, _called),
    "scale": _on("{x} * {factor!r}"),
    "reshape": reshape_text,
    "flatten": _on("{x}.flatten(1)"),
    "standardize": _on("{x} * {0} + {1}"),
    "relu": _on("{x}.relu()"),
    "leaky_relu": _on("functional.leaky_relu({x}, 0.01)"),
    "tanh": _on("{x}.tanh()"),
    "sigmoid": _on("{x}.sigmoid()"),
    "silu": _on("functional.silu({x})"),
    "gelu": _on("functional.gelu({x})"),
    "identity": _on("{x}"),
    "max_pool": _on("functional.max_pool2d({x}, {window})"),
    "global_max": _on("{x}.amax((2, 3))"),
    "global_mean": _on("{x}.mean((2, 3))"),
    "add": lambda one: " + ".join(inputs_of(one)),
    "views": _on("views({x}, {shifted}, {mirrored})"),
    "mean_of_views": _mean_of_views,
    "patches": _on("patches({x}, {factor!r}, {0}, {1}, {2}, {3}, {4})"),
    "log_sigmoid": _on("functional.logsigmoid({x})"),
    "softmax": _on("{x}.softmax(-1)"),
    "mix": mix_text,
    "log": _on("{x}.clamp(min=1e-37).log()"),
}

_CALLED: dict[str, Callable[..., Any]] = {"views": in_torch.views, "patches": in_torch.patches}
"""Operation -> the function that its line calls."""

torch = Export("-torch", True, _write, _open)
