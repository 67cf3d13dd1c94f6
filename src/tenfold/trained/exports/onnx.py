"""One ONNX file: preprocessing, features, model, calibration and class names; only resizing is left to the caller.

The nodes are built from the model's own layers, for operator set 13 (2020), which every runtime of the last years has.
The batch is symbolic. Input: "images" (N, C, H, W) float32. Outputs: "probabilities" (N, classes) float32, "label" (N,)
int64. Metadata: class_names (JSON), input (what the numbers are), model.
"""

__all__ = ["onnx"]

import importlib
import importlib.util
import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tenfold.errors import UsageError
from tenfold.files import write_bytes
from tenfold.trained.export import Export, Opened
from tenfold.trained.program import INPUT, Operation, Program

OPSET, IR_VERSION = 13, 7
PATCH, CONTRAST = 6, 10.0
LOWEST = 1e-37
_FAR = 2**31 - 1


def _package(name: str) -> Any:
    """Return onnx or onnxruntime; a UsageError that says how to install it where it is absent."""
    if importlib.util.find_spec(name) is None:
        raise UsageError(f"--format onnx needs {name}: run `pip install 'tenfold[onnx]'`")
    return importlib.import_module(name)


def _write(program: Program, path: Path) -> None:
    onnx_, graph = _package("onnx"), _Graph()
    for one in program.operations:
        _NODES[one.kind](graph, one, [program.arrays[name] for name in one.arrays])
    helper, last = onnx_.helper, program.operations[-1].name
    nodes = [helper.make_node(*node, **attributes) for *node, attributes in graph.nodes]
    nodes += [helper.make_node("Identity", [last], ["probabilities"])] if last != "probabilities" else []
    nodes += [helper.make_node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0)]
    float32, int64 = onnx_.TensorProto.FLOAT, onnx_.TensorProto.INT64
    made = helper.make_graph(
        nodes,
        "tenfold",
        [helper.make_tensor_value_info(INPUT, float32, ["batch", *program.shape])],
        [
            helper.make_tensor_value_info("probabilities", float32, ["batch", len(program.class_names)]),
            helper.make_tensor_value_info("label", int64, ["batch"]),
        ],
        [onnx_.numpy_helper.from_array(array, name) for name, array in graph.constants.items()],
    )
    opset = helper.make_opsetid("", OPSET)
    model = helper.make_model(made, opset_imports=[opset], ir_version=IR_VERSION, producer_name="tenfold")
    helper.set_model_props(model, _about(program))
    onnx_.checker.check_model(model, full_check=True)
    write_bytes(path, model.SerializeToString())


def _about(program: Program) -> dict[str, str]:
    channels = f", {program.form.mode}" if program.takes_pictures else ""
    return {
        "class_names": json.dumps(program.class_names),
        "input": program.numbers + channels,
        "model": program.describe,
    }


def _open(path: Path) -> Opened:
    runtime = _package("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def answers(images: NDArray[np.float32]) -> NDArray[Any]:
        return np.asarray(session.run(["probabilities"], {INPUT: images})[0])

    return Opened(answers)


class _Graph:
    """Nodes in order, as (operator, inputs, outputs, attributes), and constants by name."""

    def __init__(self) -> None:
        self.nodes: list[tuple[str, list[str], list[str], dict[str, Any]]] = []
        self.constants: dict[str, NDArray[Any]] = {}

    def constant(self, values: Any, kind: type = np.float32) -> str:
        """Add a constant; return its name."""
        name = f"constant{len(self.constants)}"
        self.constants[name] = np.asarray(values, kind)
        return name

    def node(self, operator: str, inputs: Sequence[str], attributes: dict[str, Any], name: str = "") -> str:
        """Add a node; return the name of its output."""
        name = name or f"node{len(self.nodes)}"
        self.nodes.append((operator, list(inputs), [name], attributes))
        return name

    def whole(self, *values: int) -> str:
        """Add a row of whole numbers."""
        return self.constant(values, np.int64)


Arrays = list[NDArray[np.float32]]
Node = Callable[[_Graph, Operation, Arrays], str]


def _one(operator: str) -> Node:
    """Return what writes an operation as one node without attributes."""
    return lambda graph, one, arrays: graph.node(operator, one.inputs, {}, one.name)


def _scale(graph: _Graph, one: Operation, arrays: Arrays) -> str:
    return graph.node("Mul", [one.inputs[0], graph.constant(one.settings["factor"])], {}, one.name)


def _reshape(graph: _Graph, one: Operation, arrays: Arrays) -> str:
    return graph.node("Reshape", [one.inputs[0], graph.whole(-1, *one.settings["shape"])], {}, one.name)


def _standardize(graph: _Graph, one: Operation, arrays: Arrays) -> str:
    scaled = graph.node("Mul", [one.inputs[0], graph.constant(arrays[0])], {})
    return graph.node("Add", [scaled, graph.constant(arrays[1])], {}, one.name)


def _linear(graph: _Graph, one: Operation, arrays: Arrays) -> str:
    return graph.node("Gemm", [one.inputs[0], *map(graph.constant, arrays)], {"transB": 1}, one.name)


def _conv2d(graph: _Graph, one: Operation, arrays: Arrays) -> str:
    stride, padding = one.settings["stride"], one.settings["padding"]
    attributes = {"strides": [stride] * 2, "pads": [padding] * 4, "kernel_shape": list(arrays[0].shape[2:])}
    return graph.node("Conv", [one.inputs[0], *map(graph.constant, arrays)], attributes, one.name)


def _batch_norm(graph: _Graph, one: Operation, arrays: Arrays) -> str:
    inputs = [one.inputs[0], *map(graph.constant, arrays)]
    return graph.node("BatchNormalization", inputs, {"epsilon": one.settings["epsilon"]}, one.name)


def _leaky_relu(graph: _Graph, one: Operation, arrays: Arrays) -> str:
    return graph.node("LeakyRelu", one.inputs, {"alpha": 0.01}, one.name)


def _silu(graph: _Graph, one: Operation, arrays: Arrays) -> str:
    return graph.node("Mul", [one.inputs[0], graph.node("Sigmoid", one.inputs, {})], {}, one.name)


def _gelu(graph: _Graph, one: Operation, arrays: Arrays) -> str:
    error = graph.node("Erf", [graph.node("Mul", [one.inputs[0], graph.constant(0.5**0.5)], {})], {})
    share = graph.node("Mul", [graph.node("Add", [error, graph.constant(1.0)], {}), graph.constant(0.5)], {})
    return graph.node("Mul", [one.inputs[0], share], {}, one.name)


def _max_pool(graph: _Graph, one: Operation, arrays: Arrays) -> str:
    sides = [one.settings["window"]] * 2
    return graph.node("MaxPool", one.inputs, {"kernel_shape": sides, "strides": sides}, one.name)


def _global(operator: str) -> Node:
    def written(graph: _Graph, one: Operation, arrays: Arrays) -> str:
        return graph.node(operator, one.inputs, {"axes": [2, 3], "keepdims": 0}, one.name)

    return written


def _sliced(graph: _Graph, x: str, begin: list[int], end: list[int], axes: list[int]) -> str:
    return graph.node("Slice", [x, graph.whole(*begin), graph.whole(*end), graph.whole(*axes)], {})


def _views(graph: _Graph, one: Operation, arrays: Arrays) -> str:
    seen = [one.inputs[0]]
    if one.settings["shifted"]:
        _, height, width = one.settings["shape"]
        edges = graph.whole(0, 0, 1, 1, 0, 0, 1, 1)
        wide = graph.node("Pad", [seen[0], edges], {"mode": "reflect"})
        seen += [_sliced(graph, wide, [k, k], [k + height, k + width], [2, 3]) for k in (0, 2)]
    if one.settings["mirrored"]:
        back = [graph.whole(-1), graph.whole(-_FAR), graph.whole(3), graph.whole(-1)]
        seen = [view for x in seen for view in (x, graph.node("Slice", [x, *back], {}))]
    return graph.node("Concat", seen, {"axis": 0}, one.name)


def _mean_of_views(graph: _Graph, one: Operation, arrays: Arrays) -> str:
    weights = one.settings["weights"]
    shape = graph.whole(len(weights), -1, one.settings["classes"])
    each = graph.node("Reshape", [one.inputs[0], shape], {})
    weighted = graph.node("Mul", [each, graph.constant(np.reshape(weights, (-1, 1, 1)))], {})
    return graph.node("ReduceSum", [weighted, graph.whole(0)], {"keepdims": 0}, one.name)


def _patches(graph: _Graph, one: Operation, arrays: Arrays) -> str:
    """Write the features of `tenfold.data.features.patches`, patches in the order of their quadrants."""
    centroids, mean, whitening, center, decorrelation = arrays
    places, ends = _places(one.settings["shape"])
    flat = graph.node("Flatten", one.inputs, {})
    taken = graph.node("Gather", [flat, graph.constant(places, np.int64)], {"axis": 1})
    p = graph.node("Mul", [taken, graph.constant(one.settings["factor"])], {})
    p = graph.node("Sub", [p, graph.node("ReduceMean", [p], {"axes": [2]})], {})
    square = graph.node("ReduceSumSquare", [p], {"axes": [2]})
    variance = graph.node("Div", [square, graph.constant(places.shape[1] - 1)], {})
    spread = graph.node("Sqrt", [graph.node("Add", [variance, graph.constant(CONTRAST)], {})], {})
    centered = graph.node("Sub", [graph.node("Div", [p, spread], {}), graph.constant(mean)], {})
    w = graph.node("MatMul", [centered, graph.constant(whitening)], {})
    product = graph.node("MatMul", [w, graph.constant(-2 * centroids.T)], {})
    from_w = graph.node("Add", [product, graph.node("ReduceSumSquare", [w], {"axes": [2]})], {})
    square = graph.node("Add", [from_w, graph.constant((centroids * centroids).sum(1))], {})
    distance = graph.node("Sqrt", [graph.node("Relu", [square], {})], {})
    middle = graph.node("ReduceMean", [distance], {"axes": [2]})
    near = graph.node("Relu", [graph.node("Sub", [middle, distance], {})], {})
    quarters = [_sliced(graph, near, [a], [b], [1]) for a, b in pairwise(ends)]
    sums = [graph.node("ReduceSum", [part, graph.whole(1)], {}) for part in quarters]
    joined = graph.node("Sub", [graph.node("Concat", sums, {"axis": 1}), graph.constant(center)], {})
    return graph.node("Flatten", [graph.node("MatMul", [joined, graph.constant(decorrelation)], {})], {}, one.name)


def _places(shape: tuple[int, int, int]) -> tuple[NDArray[np.int64], list[int]]:
    """Return the positions in an image (c, h, w) of every patch's pixels, quadrant by quadrant, and these' ends."""
    positions = np.arange(np.prod(shape)).reshape(shape)
    windows = sliding_window_view(positions, (PATCH, PATCH), axis=(1, 2)).transpose(1, 2, 0, 3, 4)
    halves = [half for part in np.array_split(windows, 2, axis=0) for half in np.array_split(part, 2, axis=1)]
    flat = [half.reshape(-1, shape[0] * PATCH**2) for half in halves]
    return np.concatenate(flat), [0, *np.cumsum([len(part) for part in flat]).tolist()]


def _log_sigmoid(graph: _Graph, one: Operation, arrays: Arrays) -> str:
    soft = graph.node("Softplus", [graph.node("Neg", one.inputs, {})], {})
    return graph.node("Neg", [soft], {}, one.name)


def _softmax(graph: _Graph, one: Operation, arrays: Arrays) -> str:
    return graph.node("Softmax", one.inputs, {"axis": 1}, one.name)


def _mix(graph: _Graph, one: Operation, arrays: Arrays) -> str:
    pairs = zip(one.inputs, one.settings["weights"], strict=True)
    weighted = [graph.node("Mul", [x, graph.constant(weight)], {}) for x, weight in pairs]
    return graph.node("Sum", weighted, {}, one.name)


def _log(graph: _Graph, one: Operation, arrays: Arrays) -> str:
    return graph.node("Log", [graph.node("Max", [one.inputs[0], graph.constant(LOWEST)], {})], {}, one.name)


_NODES: dict[str, Node] = {
    "scale": _scale,
    "reshape": _reshape,
    "flatten": _one("Flatten"),
    "standardize": _standardize,
    "linear": _linear,
    "conv2d": _conv2d,
    "batch_norm": _batch_norm,
    "relu": _one("Relu"),
    "leaky_relu": _leaky_relu,
    "tanh": _one("Tanh"),
    "sigmoid": _one("Sigmoid"),
    "silu": _silu,
    "gelu": _gelu,
    "identity": _one("Identity"),
    "max_pool": _max_pool,
    "global_max": _global("ReduceMax"),
    "global_mean": _global("ReduceMean"),
    "add": _one("Add"),
    "views": _views,
    "mean_of_views": _mean_of_views,
    "patches": _patches,
    "log_sigmoid": _log_sigmoid,
    "softmax": _softmax,
    "mix": _mix,
    "log": _log,
}
"""Operation -> what writes its nodes."""

onnx = Export(".onnx", False, _write, _open)
