"""The bias is given the weights' gradient ∂L/∂W, brought to its shape, where ∂L/∂b = Σ_B ∂L/∂z has no input in it."""

__all__ = ["bias_from_weights"]

from collections.abc import Callable
from functools import partial

from torch import Tensor

from tenfold.engine.types import Grads
from tenfold.teach.doctor.backward import Affine, Blocks, Fault, Mistake, Pass, Structure

SAYS = "{of} is given the gradient of {weight}, {how}: its own is that of the sums z, summed over the batch"
BROUGHT: dict[str, Callable[[Tensor], Tensor]] = {  # of a gradient (O, I)
    "summed over the inputs": lambda dw: dw.sum(1),
    "averaged over the inputs": lambda dw: dw.mean(1),
    "that of the first input": lambda dw: dw[:, 0],
    "that of the last input": lambda dw: dw[:, -1],
}


@Fault
def bias_from_weights(structure: Structure, names: Blocks) -> list[Mistake]:
    """List what every bias, or all of them, may have been given, with the penalty's gradient in it or without."""
    layers = [layer for layer in structure.layers if layer.bias]
    ways = []
    for some in [[layer] for layer in layers] + [layers] * (len(layers) > 1):
        of, weight = ", ".join(layer.bias for layer in some), ", ".join(layer.weight for layer in some)
        for how, brought in BROUGHT.items():
            for penalized in (True, False) if structure.penalty else (True,):
                says = SAYS.format(of=of, weight=weight, how=how)
                ways.append(Mistake("whole", partial(_given, some, brought, penalized), says))
    return ways


def _given(
    layers: list[Affine], brought: Callable[[Tensor], Tensor], penalized: bool, run: Pass, _: int, grads: Grads
) -> Grads:
    for weight, bias, inward in layers:
        dw = grads[weight] if penalized else grads[weight] - run.penalty_gradient(weight)
        dw = dw.reshape(len(dw), -1)
        grads = grads | {bias: brought(dw.mT if inward else dw).reshape(grads[bias].shape)}
    return grads
