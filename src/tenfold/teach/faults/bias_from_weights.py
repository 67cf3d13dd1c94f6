"""The bias is given the weights' gradient ∂L/∂W, brought to its shape, where ∂L/∂b = Σ_B ∂L/∂z has no input in it."""

__all__ = ["bias_from_weights"]

from collections.abc import Callable
from functools import partial

from torch import Tensor

from tenfold.engine.types import Grads
from tenfold.teach.doctor.backward import Affine, Blocks, Fault, Mistake, Pass, Structure

SAYS = "{of} is given the gradient of {weight}{how}: its own is that of the sums z, summed over the batch"
# Of a gradient (O, I).
BROUGHT: dict[str, Callable[[Tensor], Tensor]] = {
    ", summed over the inputs": lambda dw: dw.sum(1),
    ", averaged over the inputs": lambda dw: dw.mean(1),
    ", that of the first input": lambda dw: dw[:, 0],
    ", that of the last input": lambda dw: dw[:, -1],
}


@Fault
def bias_from_weights(structure: Structure, names: Blocks) -> list[Mistake]:
    """List what every bias, or all of them, may have been given, with the penalty's gradient in it or without."""
    layers = [layer for layer in structure.layers if layer.bias]
    places = [(i, [layer]) for i, layer in enumerate(structure.layers) if layer.bias] + [(-1, layers)] * (
        len(layers) > 1
    )
    ways = []
    for how, brought in BROUGHT.items():
        for i, some in places:
            of, weight = (", ".join(words) for words in zip(*((one.bias, one.weight) for one in some), strict=True))
            says = SAYS.format(of=of, weight=weight, how=how)
            ways.append(Mistake("whole", partial(_given, brought, some), says))
            if structure.penalty:
                ways.append(Mistake("bias", partial(_alone, brought), says, i))
    return ways


def _given(brought: Callable[[Tensor], Tensor], layers: list[Affine], run: Pass, layer: int, grads: Grads) -> Grads:
    for weight, bias, inward in layers:
        dw = grads[weight].reshape(len(grads[weight]), -1)
        grads = grads | {bias: brought(dw.mT if inward else dw).reshape(grads[bias].shape)}
    return grads


def _alone(brought: Callable[[Tensor], Tensor], run: Pass, layer: int, right: Tensor, d: Tensor) -> Tensor:
    return brought(d.mT @ run.post[layer])
