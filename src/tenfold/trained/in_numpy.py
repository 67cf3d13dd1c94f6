"""Operations of a model in NumPy and Pillow alone. The export copies the source of those that it needs."""

__all__ = ["batch_norm", "conv2d", "gelu", "main", "max_pool", "patches", "read", "sigmoid", "softmax", "views"]

import json
import sys
from collections.abc import Callable
from functools import reduce
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import Image, ImageOps

from tenfold.data.framing import framed

Array = NDArray[np.float32]


def conv2d(x: Array, weight: Array, stride: int, padding: int) -> Array:
    """Filter images (n, c, h, w) by weight (o, c, k, k), with zeros around them: (n, o, h', w')."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = sliding_window_view(x, weight.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    n, _, height, width = windows.shape[:4]
    columns = windows.transpose(0, 1, 4, 5, 2, 3).reshape(n, -1, height * width)
    return (weight.reshape(len(weight), -1) @ columns).reshape(n, -1, height, width)


def batch_norm(x: Array, gain: Array, bias: Array, mean: Array, variance: Array, epsilon: float) -> Array:
    """Return images (n, c, h, w) with every channel less its mean, over its deviation, times gain, plus bias."""
    factor = gain / np.sqrt(variance + epsilon)
    y: Array = x * factor[:, None, None] + (bias - mean * factor)[:, None, None]
    return y


def max_pool(x: Array, window: int) -> Array:
    """Return the largest of each window of images (n, c, h, w); a rest at the right and lower edge is left out."""
    rows, columns = (side // window * window for side in x.shape[2:])
    corners = [(u, v) for u in range(window) for v in range(window)]
    return reduce(np.maximum, (x[:, :, u:rows:window, v:columns:window] for u, v in corners))


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(-x)), in a form that does not overflow."""
    y: Array = 0.5 * (1 + np.tanh(0.5 * x))
    return y


def gelu(x: Array) -> Array:
    """Return x Φ(x); the error function by Abramowitz and Stegun 7.1.26, to 1.5e-7."""
    z = np.abs(x) * np.float32(0.5**0.5)
    t = 1 / (1 + np.float32(0.3275911) * z)
    series = np.zeros_like(t)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series += np.float32(factor)
        series *= t
    y: Array = x * (0.5 + np.copysign(0.5 - 0.5 * series * np.exp(-z * z), x))
    return y


def softmax(z: Array) -> Array:
    """Return probabilities (n, classes) from scores."""
    powers = np.exp(z - z.max(-1, keepdims=True))
    shares: Array = powers / powers.sum(-1, keepdims=True)
    return shares


def views(x: Array, shifted: bool, mirrored: bool) -> Array:
    """Return images (n, c, h, w), and behind them the other views of them that the scores are a mean of."""
    seen = [x]
    if shifted:
        wide = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), "reflect")
        seen += [wide[..., :-2, :-2], wide[..., 2:, 2:]]
    if mirrored:
        seen = [view for image in seen for view in (image, image[..., ::-1])]
    return np.concatenate(seen)


def patches(
    x: Array, factor: float, centroids: Array, mean: Array, whitening: Array, center: Array, decorrelation: Array
) -> Array:
    """Return how near the 6 × 6 patches of images (n, c, h, w) are to k centroids, summed by quadrants: (n, 4 k)."""
    windows = sliding_window_view(x, (6, 6), axis=(2, 3))
    n, _, rows, columns = windows.shape[:4]
    p = np.float32(factor) * windows.transpose(0, 2, 3, 1, 4, 5).reshape(n, rows, columns, -1)
    p -= p.mean(-1, keepdims=True)
    p /= np.sqrt((p * p).sum(-1, keepdims=True) / (p.shape[-1] - 1) + 10)
    w = (p - mean) @ whitening
    square = (w * w).sum(-1, keepdims=True) - 2 * w @ centroids.T + (centroids * centroids).sum(1)
    distance = np.sqrt(np.maximum(square, 0))
    near = np.maximum(distance.mean(-1, keepdims=True) - distance, 0)
    halves = [half for part in np.array_split(near, 2, axis=1) for half in np.array_split(part, 2, axis=2)]
    sums = np.stack([half.sum((1, 2)) for half in halves], axis=1)
    features: Array = ((sums - center) @ decorrelation).reshape(n, -1)
    return features


def read(path: Path, mode: str, side: int, background: str, levels: tuple[int, ...], framing: str) -> NDArray[np.uint8]:
    """Return an image file as the model was shown its own: pixels (channels, side, side) from 0 to 255."""
    with Image.open(path, formats=("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")) as image:
        layout = image.tile[0].args if image.tile else ""
        is_deep_ppm = image.format == "PPM" and isinstance(layout, tuple) and int(layout[-1]) > 255
        if is_deep_ppm or (";16" in str(layout) and not image.mode.startswith("I")):
            raise ValueError("more than 8 bits for each color, of which Pillow keeps 8: save it with 8")
        image.draft(None, (2 * side, 2 * side))  # a large JPEG is decoded at a half, a quarter or an eighth
        picture = ImageOps.exif_transpose(image)
    if picture.mode.startswith("I"):
        picture = Image.fromarray(to_bytes(np.asarray(picture), levels))
    if picture.mode == "F":
        raise ValueError("its pixels are floating-point numbers: save it with 8 or 16 bits")
    if picture.has_transparency_data:
        clear = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", clear.size, background), clear)
    if picture.mode != "L":
        picture = picture.convert("RGB")
    pixels = np.asarray(framed(picture, side, framing).convert(mode))
    return pixels[None] if mode == "L" else pixels.transpose(2, 0, 1)


def to_bytes(values: NDArray[np.uint16], levels: tuple[int, ...]) -> NDArray[np.uint8]:
    """Scale 16-bit pixels: levels (low, high) become 0 and 255; without them, the bits that the picture uses."""
    flat = np.sort(values, axis=None).astype(np.int64)
    rest = flat[len(flat) // 1000 : len(flat) - len(flat) // 1000]  # hot and dead pixels do not decide
    spread = rest if 0 < 2 * (rest[-1] - rest[0]) < flat[-1] - flat[0] else flat
    most = int(spread[-1])
    low, high = levels or (0, 2 ** max(8, most.bit_length()) - 1)
    return ((values.astype(float) - low) * (255 / max(1, high - low))).round().clip(0, 255).astype(np.uint8)


def main(
    paths: list[str], classes: list[str], probabilities: Callable[[Array], Array], pixels_of: Callable[[Path], Array]
) -> int:
    """Print a line of JSON for each file: its class and probability. Return 1 where one could not be read."""
    failed = 0
    for path in paths:
        try:
            (shares,) = probabilities(pixels_of(Path(path))[None])
        except (OSError, ValueError, SyntaxError) as error:
            print(f"{path}: {error}", file=sys.stderr)  # noqa: T201
            failed = 1
            continue
        best = int(shares.argmax())
        print(json.dumps({"file": path, "predicted": classes[best], "probability": round(float(shares[best]), 6)}))  # noqa: T201
    return failed
