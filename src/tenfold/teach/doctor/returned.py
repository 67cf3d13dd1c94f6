"""Read value and gradients by block from a function's result, and say what is wrong with their shapes.

For a parameter p and its gradient g, the shape often gives the fault away:

    g = pᵀ in shape          transposed
    g = (B, *p)              one gradient for each of the B inputs, not summed over them
    g = (B, O), p = (O, I)   that of the scores, not yet multiplied by the inputs
"""

__all__ = ["blocks_of", "understood"]

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold.errors import DataError, nearest
from tenfold.teach.doctor.subject import Evaluation, Sizes

CONTRACT = "expected value, gradients"


def blocks_of(result: Any, where: str, shapes: Mapping[str, Sizes], targets: bool) -> tuple[str, ...]:
    """Return the blocks of which a function returned gradients, in its order.

    shapes: of x, the first, and of the parameters. targets: true where it takes some by name. As many gradients as
    parameters are theirs; one more, and x is among them, first, or last where only that fits. Raises DataError where
    the count fits neither.
    """
    x, *params = shapes
    grads = _split(result, where, shapes)[1]
    count = len(grads)
    if isinstance(grads, Mapping):
        if unknown := [key for key in grads if key not in shapes]:
            raise DataError(f"{where} returns a gradient of {unknown[0]!r}: {nearest(unknown[0], shapes)}")
        if not grads.keys() >= set(params):
            raise DataError(_incomplete(where, count, params, targets))
        return tuple(name for name in shapes if name in grads)
    if count == len(params) and params:
        return tuple(params)
    if count != len(params) + 1:
        raise DataError(_incomplete(where, count, params or [x], targets))
    given = [_array(grad, f"{where}: a gradient").shape for grad in grads]
    last = (*params, x)
    return last if given != [*shapes.values()] and given == [shapes[name] for name in last] else tuple(shapes)


def understood(result: Any, where: str, blocks: Sequence[str], shapes: Mapping[str, Sizes], images: int) -> Evaluation:
    """Return value and gradients of a call, finite or not; a DataError says what is wrong with their kinds and shapes.

    where: how the function is called in messages. images: N, inputs in x.
    """
    value, grads = _split(result, where, shapes)
    number = _array(value, f"{where}: the value")
    if number.size != 1:
        each = " (one loss for each input: take their mean or sum)" if number.shape in ((images,), (images, 1)) else ""
        raise DataError(f"{where}: the value has shape {_sizes(number.shape)}{each}; expected one number")
    grads = [grads.get(name) for name in blocks] if isinstance(grads, Mapping) else grads
    if len(grads) != len(blocks):
        raise DataError(f"{where} returns {len(grads)} gradients here and {len(blocks)} before; expected as many")
    arrays = {name: _array(grad, f"{where}: the gradient of {name}") for name, grad in zip(blocks, grads, strict=True)}
    _check_shapes(arrays, where, shapes, images)
    kind = "float64" if isinstance(value, float | int) else str(number.dtype)
    narrow = {"float32", "float16"} & {kind, *(str(array.dtype) for array in arrays.values())}
    wide = {name: np.array(array, dtype=np.float64) for name, array in arrays.items()}
    return Evaluation(float(number.reshape(())), wide, "float32" if narrow else "float64")


def _split(result: Any, where: str, shapes: Mapping[str, Sizes]) -> tuple[Any, Any]:
    if result is None:
        raise DataError(f"{where} returns None (is a return missing?); {CONTRACT}")
    if not isinstance(result, tuple | list):
        raise DataError(f"{where} returns one thing, of type {type(result).__name__}; {CONTRACT}")
    if len(result) < 2:
        raise DataError(f"{where} returns {len(result)} thing{'s' * (len(result) != 1)}; {CONTRACT}")
    value, grads, *more = result
    if more:
        return value, result[1:]
    if grads is None:
        raise DataError(f"{where} returns None for its gradients; {CONTRACT}")
    if isinstance(grads, Mapping):
        return value, {_block(str(key), shapes): grad for key, grad in grads.items()}
    return value, grads if isinstance(grads, tuple | list) and not _numbers(grads) else [grads]


def _numbers(grads: Any) -> bool:
    """Judge whether a list is one gradient written as lists of numbers, and not a list of gradients."""
    return isinstance(grads, list) and bool(grads) and all(isinstance(g, int | float) or _numbers(g) for g in grads)


def _incomplete(where: str, count: int, params: Sequence[str], targets: bool) -> str:
    several = len(params) > 1
    many = f"the {len(params)} parameters {', '.join(params)}" if several else params[0]
    says = f"{where} returns {count} gradient{'s' * (count != 1)} for {many}; expected one for each, in their order"
    cure = f"; real targets, which have none, are named y (y={'3x2' if several else '3'})"
    return says + cure * (count < len(params) and not targets)


def _block(key: str, shapes: Mapping[str, Sizes]) -> str:
    """Return the block that a key names: "W", "dW", "grad_W" or "W_grad"."""
    tries = (key, key.removeprefix("grad_"), key.removesuffix("_grad"), key.removeprefix("d"))
    if block := next((name for name in tries if name in shapes), ""):
        return block
    x = next(iter(shapes))
    return x if x.lower() in [name.lower() for name in tries] else key


def _array(given: Any, what: str) -> NDArray[Any]:
    if given is None:
        raise DataError(f"{what} is None; expected numbers")
    try:
        array = np.asarray(given.detach().cpu().numpy() if hasattr(given, "detach") else given)
    except Exception:  # a thing of the user's own may make an array of itself by any code
        array = np.asarray("?")
    if array.dtype.kind == "c":
        raise DataError(f"{what} is complex; expected real numbers")
    if array.dtype.kind == "O" and array.ndim:
        kind = type(array.flat[0]).__name__ if array.size else "object"
        raise DataError(f"{what} is an array of Python objects ({kind}), not of numbers")
    if array.dtype.kind not in "fiub":
        kind = f"n array of {array.dtype}" if isinstance(given, np.ndarray) else f" {type(given).__name__}"
        raise DataError(f"{what} is no array of numbers but a{kind}")
    return array


def _check_shapes(arrays: Mapping[str, NDArray[Any]], where: str, shapes: Mapping[str, Sizes], images: int) -> None:
    for name, array in arrays.items():
        if array.shape != shapes[name]:
            hint = _hint(array.shape, shapes[name], images, shapes)
            if twins := [other for other in arrays if other != name and np.array_equal(array, arrays[other])]:
                hint = f"it is the gradient of {twins[0]} again, and {name} has one of its own"
            if len(arrays) > 1 and sorted(a.shape for a in arrays.values()) == sorted(shapes[name] for name in arrays):
                hint = f"the gradients are in another order than {', '.join(arrays)}"
            expected = _sizes(shapes[name]) if shapes[name] else "a single number"
            has = f"{where}: the gradient of {name} has shape {_sizes(array.shape)}"
            raise DataError(f"{has}, expected {expected}{': ' * bool(hint)}{hint}")


def _hint(g: Sizes, p: Sizes, images: int, shapes: Mapping[str, Sizes]) -> str:
    """Return a tutor's hint at a gradient of shape g for a parameter of shape p, "" where nothing is plain."""
    same = [name for name, sizes in shapes.items() if sizes == g]
    if len(p) == 2 and g == p[::-1]:
        return "it is transposed"
    if images > 1 and len(p) == len(g) == 2 and 1 in p and g == tuple(images if side == 1 else side for side in p):
        axis = p.index(1)
        line = ("row", "column")[axis]
        return f"it has one {line} for each of the {images} inputs; sum it over them (axis {axis}, keepdims=True)"
    if images > 1 and g and g[1:] == p and g[0] == images:
        return f"it has one row for each of the {images} inputs; sum it over them (axis 0)"
    if images > 1 and len(p) == 1 and g == (*p, images):
        return f"it has one column for each of the {images} inputs; sum it over them (axis 1)"
    if math.prod(g) == math.prod(p) and [side for side in g if side > 1] == [side for side in p if side > 1]:
        return "an axis of length 1 is too many or too few; reshape it (or mind keepdims)"
    if len(p) == 2 and len(g) == 2 and images in g and set(g) - {images} and (set(g) - {images}) <= set(p):
        return "that is the shape of the scores' gradient, which is still to be multiplied by the inputs"
    if p and g == ():
        alone = "each number has a derivative of its own" if len(shapes) == 1 else "sum over the inputs alone"
        return f"it was summed over everything; {alone}"
    if len(p) == 2 and len(g) == 1 and g[0] in p:
        return "an axis was summed away; each weight has a derivative of its own"
    return f"that is the shape of {same[0]}" if same else ""


def _sizes(sizes: Sequence[int]) -> str:
    """Return sizes as one reads them.

    >>> _sizes((4, 10)), _sizes((4,)), _sizes(())
    ('4×10', '(4,)', '()')
    """
    return "×".join(map(str, sizes)) if len(sizes) > 1 else str(tuple(sizes))
