"""The gradient of a bias is that of one image, or their mean, where it is the sum over the batch."""

__all__ = ["bias_not_summed"]

from torch import Tensor

from tenfold.teach.doctor.backward import Blocks, Change, Fault, Mistake, Pass, Structure

SAYS = "the gradient of {of} is not summed over the batch: it is {what}, not the sum over all images"


@Fault
def bias_not_summed(structure: Structure, names: Blocks) -> list[Mistake]:
    """List the rows that every bias, or all of them, may have been given."""
    places = [(i, layer.bias) for i, layer in enumerate(structure.layers) if layer.bias]
    if len(places) > 1:
        places.append((-1, "all biases"))
    rows: tuple[tuple[str, Change, int], ...] = (
        ("that of the first image", lambda run, layer, right, d: d[0], 0),
        ("that of the last image", lambda run, layer, right, d: d[-1], 0),
        ("their mean", lambda run, layer, right, d: d.mean(0), 0),
        ("that of one image", _closest, 1),
    )
    return [
        Mistake("bias", row, SAYS.format(of=of, what=what), i, rank) for what, row, rank in rows for i, of in places
    ]


def _closest(run: Pass, layer: int, right: Tensor, d: Tensor) -> Tensor:
    """Return the row nearest to the returned gradient: of the last image that violates its margin, say."""
    returned = run.claimed[0][run.structure.layers[layer].bias].flatten()
    return d[(d - returned).abs().sum(1).argmin()]
