"""The gradient of a bias is that of one image, or their mean, where it is the sum over the batch."""

__all__ = ["bias_not_summed"]

from collections.abc import Callable, Sequence

from torch import Tensor

from tenfold.teach.doctor.backward import Fault, Pass, Structure, Way

SAYS = "the gradient of {of} is not summed over the batch: it is {what}, not the sum over all images"
ROWS: tuple[tuple[str, Callable[[Tensor], Tensor]], ...] = (
    ("that of the first image", lambda d: d[0]),
    ("that of the last image", lambda d: d[-1]),
    ("their mean", lambda d: d.mean(0)),
)
ONE = "that of one image"


def _ways(structure: Structure | None, names: Sequence[str]) -> list[Way]:
    biases = [(i, layer.bias) for i, layer in enumerate(structure.layers if structure else ()) if layer.bias]
    places = [*biases, (-1, "all biases")] if len(biases) > 1 else biases
    ways = [Way("bias", _row(pick), SAYS.format(of=of, what=what), i) for i, of in places for what, pick in ROWS]
    return ways + [Way("bias", _closest, SAYS.format(of=of, what=ONE), i, rank=1) for i, of in places]


def _row(pick: Callable[[Tensor], Tensor]) -> Callable[[Pass, int, Tensor, Tensor], Tensor]:
    return lambda known, layer, right, d: pick(d)


def _closest(known: Pass, layer: int, right: Tensor, d: Tensor) -> Tensor:
    """The row that is nearest to what was returned: of the last image that violates its margin, say."""
    returned = known.claimed[0][known.structure.layers[layer].bias].flatten()
    return d[(d - returned).abs().sum(1).argmin()]


bias_not_summed = Fault(_ways)
