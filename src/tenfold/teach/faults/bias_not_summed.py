"""The gradient of a bias is that of one image, or their mean, where it is the sum over the batch."""

__all__ = ["bias_not_summed"]

from collections.abc import Callable

from torch import Tensor

from tenfold.teach.doctor.backward import Blocks, Fault, Mistake, Pass, Structure

SAYS = "the gradient of {of} is not summed over the batch: it is {what}, not the sum over all images"
ROWS: tuple[tuple[str, Callable[[Pass, int, Tensor, Tensor], Tensor]], ...] = (
    ("that of the first image", lambda run, layer, right, d: d[0]),
    ("that of the last image", lambda run, layer, right, d: d[-1]),
    ("their mean", lambda run, layer, right, d: d.mean(0)),
)


@Fault
def bias_not_summed(structure: Structure, names: Blocks) -> list[Mistake]:
    """List the rows that every bias, or all of them, may have been given."""
    places = [(i, layer.bias) for i, layer in enumerate(structure.layers) if layer.bias]
    if len(places) > 1:
        places.append((-1, "all biases"))
    ways = [Mistake("bias", row, SAYS.format(of=of, what=what), i) for i, of in places for what, row in ROWS]
    return ways + [
        Mistake("bias", _closest, SAYS.format(of=of, what="that of one image"), i, rank=1) for i, of in places
    ]


def _closest(run: Pass, layer: int, right: Tensor, d: Tensor) -> Tensor:
    """Return the row nearest to the returned gradient: of the last image that violates its margin, say."""
    returned = run.claimed[0][run.structure.layers[layer].bias].flatten()
    return d[(d - returned).abs().sum(1).argmin()]
