"""The batch is summed over twice: N ∂L/∂b for ∂L/∂b, or (Σ_B ∂L/∂z)ᵀ (Σ_B h) for Σ_B ∂L/∂zᵀ h."""

__all__ = ["batch_summed_twice"]

from tenfold.teach.doctor.backward import Blocks, Fault, Mistake, Structure

BIAS = "the gradient of {of} is summed over the batch twice: it is N times too large"
WEIGHT = (
    "the batch is summed over twice in the gradient of {of}: it is the product of two sums over the images, not the sum"
    " of their products"
)


@Fault
def batch_summed_twice(structure: Structure, names: Blocks) -> list[Mistake]:
    """List the bias and the weights of every layer, and of all layers."""
    places = [(i, layer.weight, layer.bias or "the bias") for i, layer in enumerate(structure.layers)]
    if len(places) > 1:
        places.append((-1, "all weights", "all biases"))
    ways = []
    for layer, weight, bias in places:
        says = WEIGHT.format(of=weight)
        ways += [
            Mistake("bias", lambda run, i, right, d: right * run.images, BIAS.format(of=bias), layer, rank=1),
            Mistake("weight", lambda run, i, right, d: d.sum(0)[:, None] * run.post[i].sum(0), says, layer),
            Mistake("weight", lambda run, i, right, d: d.sum(0)[:, None] * run.post[i].mean(0), says, layer),
        ]
    return ways
