"""Lookahead (Zhang, Lucas, Hinton and Ba 2019) around stochastic gradient descent.

Fast weights W step as `sgdw` says; after every k steps the slow weights S move towards them, and they start from there:

    S ← S + α (W − S),  W ← S        S begins as the first weights

So the weights are averaged over a path that oscillates across a valley. k = sync_every, α = sync_share; α = 1 is plain
descent. Weights are judged as they are, between two meetings too.
"""

__all__ = ["lookahead"]

from tenfold.engine.momentum import Group, descend, direction
from tenfold.engine.types import Grads, Optimizer, Params, Scalar
from tenfold.rooms import Hyperparameter

NUMBERS = (
    Hyperparameter("momentum", 0.0, "share of the previous step that is kept", least=0, below=1, varies=True),
    Hyperparameter("nesterov", False, "Nesterov's momentum, which looks one step ahead"),
    Hyperparameter("weight_decay", 0.01, "share λ in (1 − η λ) by which all parameters shrink", least=0, varies=True),
    Hyperparameter("head_factor", 1.0, "factor on the learning rate of matrices", above=0, varies=True),
    Hyperparameter("bias_factor", 1.0, "factor on the learning rate of biases and gains", above=0, varies=True),
    Hyperparameter("sync_every", 5, "updates between two meetings of fast and slow weights", least=1),
    Hyperparameter("sync_share", 0.5, "share of the way that slow weights go to meet the fast ones", above=0),
)


def lookahead(
    momentum: Scalar = 0.0,
    nesterov: bool = False,
    weight_decay: Scalar = 0.01,
    head_factor: Scalar = 1.0,
    bias_factor: Scalar = 1.0,
    sync_every: int = 5,
    sync_share: float = 0.5,
) -> Optimizer:
    """Return the update rule; the first five numbers are one for all, or (P,) where members differ."""
    group = Group(weight_decay, head_factor, bias_factor)

    def update(params: Params, grads: Grads, memory: Params, learning_rate: Scalar, step: int) -> None:
        for name, param in params.items():
            slow = memory[f"slow/{name}"]
            if step == 0:
                slow.copy_(param)
            along = direction(grads[name], memory[f"momentum/{name}"], momentum, nesterov)
            descend(param, along, learning_rate, group)
            if (step + 1) % sync_every == 0:
                param.copy_(slow.lerp_(param, sync_share))

    return Optimizer(("momentum", "slow"), update)
