"""Batch normalization (Ioffe and Szegedy 2015) of every channel, over the batch and the image.

With n = B H W values of a channel, mean m = Σ x / n and biased variance v = Σ (x − m)² / n,

    x̂ = (x − m) / √(v + ε)        y = g x̂ + b
    ∂L/∂b = Σ ∂L/∂y               ∂L/∂g = Σ ∂L/∂y x̂
    ∂L/∂x = g / √(v + ε) (∂L/∂y − ∂L/∂b / n − x̂ ∂L/∂g / n)

Running statistics follow torch's convention: r ← (1 − μ) r + μ s, where the momentum μ is the share of the new, and s
is the mean and the *unbiased* variance v n / (n − 1). A prediction takes the running ones instead of the batch's.

Where several processes share a batch, process r has n_r values with mean m_r and variance v_r, and (Chan et al. 1979)

    n = Σ_r n_r        m = Σ_r n_r m_r / n        v = Σ_r n_r (v_r + (m_r − m)²) / n

The two sums in ∂L/∂x go over all processes, too; those that are returned as ∂L/∂g and ∂L/∂b are this one's.
"""

__all__ = ["batch_norm"]

import torch
from torch import Tensor

from tenfold.engine.arrays import stacked
from tenfold.engine.parallel import Team, current
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
    group = current()
    if training and group and group.in_step:
        return _of_all(group, x, gain, bias, (mean, variance), momentum, epsilon)
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


def _of_all(
    group: Team,
    x: Tensor,
    gain: Tensor,
    bias: Tensor,
    running: tuple[Tensor, Tensor],
    momentum: float,
    epsilon: float,
) -> tuple[Tensor, Pull, tuple[Tensor, Tensor]]:
    """Normalize by the statistics of all processes."""
    n, mean, variance = _moments(group, x.to(gain.dtype))
    spread = (variance + epsilon).rsqrt()
    normal = (x.to(gain.dtype) - _laid(mean, x)) * _laid(spread, x)
    y = (normal * _laid(gain, x) + _laid(bias, x)).to(x.dtype)

    def pull(dy: Tensor, need_dx: bool = True) -> tuple[Tensor | None, Tensor, Tensor]:
        wide, axes = dy.to(gain.dtype), _axes(x)
        dbias, dgain = wide.sum(axes), (wide * normal).sum(axes)
        if not need_dx:
            return None, dgain, dbias
        sums = group.total(torch.stack((dbias, dgain))) / n
        dx = _laid(gain * spread, x) * (wide - _laid(sums[0], x) - normal * _laid(sums[1], x))
        return dx.to(x.dtype), dgain, dbias

    kept = [(1 - momentum) * old for old in running]
    return y, pull, (kept[0] + momentum * mean, kept[1] + momentum * variance * n / (n - 1))


def _moments(group: Team, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return number of values, mean and biased variance (P, C) of each channel over all processes."""
    variance, mean = torch.var_mean(x, _axes(x), correction=0)
    n = torch.full_like(mean, x[0, :, 0].numel())
    counts, means, variances = group.each(torch.stack((n, mean, variance))).unbind(1)
    total = counts.sum(0)
    middle = (counts * means).sum(0) / total
    return total, middle, (counts * (variances + (means - middle) ** 2)).sum(0) / total


def _axes(x: Tensor) -> list[int]:
    """Return the axes of the batch and the image."""
    return [1, *range(3, x.dim())]


def _laid(channels: Tensor, x: Tensor) -> Tensor:
    """Return numbers of channels (P, C) with axes added so that they broadcast against x."""
    return channels.reshape(len(channels), 1, -1, *[1] * (x.dim() - 3))
