"""A folder with one small predict.py, its arrays and the names of the classes; it needs NumPy and Pillow alone.

predict.py has a line for each operation of the model, and the source of the functions that these lines call.
"""

__all__ = ["numpy"]

import io
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tenfold.data import framing
from tenfold.files import write_bytes, write_text
from tenfold.trained import in_numpy
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
from tenfold.trained.program import Operation, Program

SCRIPT, ARRAYS = "predict.py", "arrays.npz"

_STANDARD = (
    "import json",
    "import sys",
    "from collections.abc import Callable",
)
_CONSTANTS = (
    "Array = NDArray[np.float32]",
    "HERE = Path(__file__).parent",
    'CLASSES = json.loads((HERE / "classes.json").read_text(encoding="utf-8"))',
    'W = dict(np.load(HERE / "arrays.npz"))',
)


def _write(program: Program, folder: Path) -> None:
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **program.arrays)
    write_bytes(folder / ARRAYS, content.getvalue())
    write_classes(program, folder)
    write_text(folder / SCRIPT, _script(program))


def _script(program: Program) -> str:
    shape = ", ".join(map(str, program.shape))
    kinds = {one.kind for one in program.operations}
    called = [function for kind, function in _CALLED.items() if kind in kinds] + [in_numpy.softmax]
    docstring = (
        f"Classify {'images with NumPy and Pillow' if program.takes_pictures else 'rows with NumPy'}: "
        f"python {SCRIPT} FILE…\n\n"
        f"Exported by Tenfold. The model: {program.describe}.\n"
    )
    last = inputs_of(program.operations[-1])[0]
    body = (
        "def probabilities(images: Array) -> Array:\n"
        f'    """Return (n, {len(program.class_names)}) from images (n, {shape}), {program.numbers}."""\n'
        "    images = np.asarray(images, np.float32)\n"
        f"{operations_text(program, _EXPRESSIONS)}"
        f"    return softmax({last})\n"
    )
    functions = [*listed(dict.fromkeys(called)), *_reading(program), *listed([in_numpy.main])]
    end = 'if __name__ == "__main__":\n    sys.exit(main(sys.argv[1:], CLASSES, probabilities, pixels_of))\n'
    return python_file(docstring, _imports(program), [body, *functions, end])


def _imports(program: Program) -> list[str]:
    """Return the lines of imports and constants that the script needs."""
    kinds = {one.kind for one in program.operations}
    windows = ["from numpy.lib.stride_tricks import sliding_window_view"] if kinds & {"conv2d", "patches"} else []
    pillow = ["from PIL import Image, ImageOps"] if program.takes_pictures else []
    grey = [f"GREY = {framing.GREY}"] if program.takes_pictures else []
    pools = ["from functools import reduce"] if "max_pool" in kinds else []
    head = [*_STANDARD, *pools, "from pathlib import Path", "", "import numpy as np"]
    return [*head, *windows, "from numpy.typing import NDArray", *pillow, "", *_CONSTANTS, *grey]


def _reading(program: Program) -> list[str]:
    """Return the functions that make an input of a file: an image, or a row of numbers in .npy."""
    head = "def pixels_of(path: Path) -> Array:\n"
    if not program.takes_pictures:
        shape = ", ".join(map(str, program.shape))
        return [
            f'{head}    """Return the numbers of one input in a file that NumPy saved."""\n'
            f"    return np.load(path).reshape({shape})\n"
        ]
    form, precedent = program.form, program.form.precedent
    wanted = (form.mode, form.side, precedent.background or "white", precedent.levels, precedent.framing)
    said = ", ".join(map(ascii, wanted))
    reader = (
        f'{head}    """Return the pixels of an image file as the model takes them."""\n    return read(path, {said})\n'
    )
    return [reader, *listed([in_numpy.read, in_numpy.to_bytes, framing.framed, framing.resized])]


def _open(folder: Path) -> Opened:
    names = runpy.run_path(str(folder / SCRIPT))
    return Opened(names["probabilities"], names["pixels_of"] if "read" in names else None)


def _on(form: str) -> Callable[[Operation], str]:
    """Return what writes an operation on one value in a form; see `template`."""
    return template(form, lambda one, name: f'W["{name}"]')


def _conv2d(one: Operation) -> str:
    weight, *bias = [f'W["{name}"]' for name in one.arrays]
    shift = f" + {bias[0]}[:, None, None]" if bias else ""
    return f"conv2d({inputs_of(one)[0]}, {weight}, {one.settings['stride']}, {one.settings['padding']}){shift}"


def _mean_of_views(one: Operation) -> str:
    weights, classes = one.settings["weights"], one.settings["classes"]
    return f"np.tensordot({weights}, {inputs_of(one)[0]}.reshape({len(weights)}, -1, {classes}), 1).astype(np.float32)"


_EXPRESSIONS: dict[str, Callable[[Operation], str]] = {
    "scale": _on("{x} * {factor!r}"),
    "reshape": reshape_text,
    "flatten": _on("{x}.reshape(len({x}), -1)"),
    "standardize": _on("{x} * {0} + {1}"),
    "linear": _on("{x} @ {0}.T + {1}"),
    "conv2d": _conv2d,
    "batch_norm": _on("batch_norm({x}, {0}, {1}, {2}, {3}, {epsilon!r})"),
    "relu": _on("np.maximum({x}, 0)"),
    "leaky_relu": _on("np.maximum({x}, 0.01 * {x})"),
    "tanh": _on("np.tanh({x})"),
    "sigmoid": _on("sigmoid({x})"),
    "silu": _on("{x} * sigmoid({x})"),
    "gelu": _on("gelu({x})"),
    "identity": _on("{x}"),
    "max_pool": _on("max_pool({x}, {window})"),
    "global_max": _on("{x}.max((2, 3))"),
    "global_mean": _on("{x}.mean((2, 3))"),
    "add": lambda one: " + ".join(inputs_of(one)),
    "views": _on("views({x}, {shifted}, {mirrored})"),
    "mean_of_views": _mean_of_views,
    "patches": _on("patches({x}, {factor!r}, {0}, {1}, {2}, {3}, {4})"),
    "log_sigmoid": _on("-np.logaddexp(np.float32(0), -{x})"),
    "softmax": _on("softmax({x})"),
    "mix": mix_text,
    "log": _on("np.log(np.maximum({x}, 1e-37))"),
}

_CALLED: dict[str, Callable[..., Any]] = {
    "conv2d": in_numpy.conv2d,
    "batch_norm": in_numpy.batch_norm,
    "max_pool": in_numpy.max_pool,
    "sigmoid": in_numpy.sigmoid,
    "silu": in_numpy.sigmoid,
    "gelu": in_numpy.gelu,
    "views": in_numpy.views,
    "patches": in_numpy.patches,
}
"""Operation -> the function that its line calls."""

numpy = Export("-numpy", True, _write, _open)
