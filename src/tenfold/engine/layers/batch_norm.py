"""Batch normalization (Ioffe and Szegedy 2015) of every channel, over the batch and the image.

With n = B H W values of a channel, mean m = Σ x / n and biased variance v = Σ (x − m)² / n,

    x̂ = (x − m) / √(v + ε)        y = g x̂ + b
    ∂L/∂b = Σ ∂L/∂y               ∂L/∂g = Σ ∂L/∂y x̂
    ∂L/∂x = g / √(v + ε) (∂L/∂y − ∂L/∂b / n − x̂ ∂L/∂g / n)

Running statistics follow torch's convention: r ← (1 − μ) r + μ s, where the momentum μ is the share of the new, and s
is the mean and the *unbiased* variance v n / (n − 1). A prediction takes the running ones instead of the batch's.
"""

__all__ = ["batch_norm"]

import torch
from torch import Tensor

from tenfold.engine.arrays import stacked
from tenfold.engine.types import Pull
from tenfold.errors import UsageError

IMAGES = True


def batch_norm(
    x: Tensor,
    gain: Tensor,
    bias: Tensor,
    mean: Tensor,
    variance: Tensor,
    training: bool = True,
    momentum: float = 0.1,
    epsilon: float = 1e-5,
) -> tuple[Tensor, Pull, tuple[Tensor, Tensor]]:
    """Return y, its pullback, and the running mean and variance after this batch.

    x: (P, B, C, H, W) or (P, B, C); gain, bias, mean, variance: (P, C). Statistics and gradients of gain and bias have
    the format of gain. Raises UsageError for a single value a channel, which has no variance.
    """
    if training and x[0, :, 0].numel() == 1:
        raise UsageError(
            "batch normalization needs more than one value a channel, and a batch has a single image here: choose a "
            "--batch-size that leaves no last batch of one"
        )
    running = [tensor.clone() if training else tensor for tensor in (mean, variance)]
    done = [
        torch.native_batch_norm(x[k], gain[k], bias[k], running[0][k], running[1][k], training, momentum, epsilon)
        for k in range(len(x))
    ]
    y = stacked([normal for normal, _, _ in done])

    def pull(dy: Tensor, need_dx: bool = True) -> tuple[Tensor | None, Tensor, Tensor]:
        grads = [
            torch.ops.aten.native_batch_norm_backward(
                dy[k], x[k], gain[k], mean[k], variance[k], *done[k][1:], training, epsilon, [need_dx, True, True]
            )
            for k in range(len(x))
        ]
        dx, dgain, dbias = zip(*grads, strict=True)
        return stacked(dx) if need_dx else None, stacked(dgain), stacked(dbias)

    return y, pull, (running[0], running[1])
