"""Gradient descent against torch's, plain, with momentum, with Nesterov's look-ahead."""

import torch

from tenfold.engine.optimizers.sgd import sgd


def case(**options):
    return {"options": options, "torch": lambda params, rate: torch.optim.SGD(params, lr=rate, **options)}


CASES = {
    "plain": case(momentum=0.0),
    "momentum": case(momentum=0.9),
    "little momentum": case(momentum=0.3),
    "nesterov": case(momentum=0.9, nesterov=True),
    "varying": {"options": {"momentum": (0.0, 0.5, 0.9)}},
    "varying nesterov": {"options": {"momentum": (0.0, 0.5, 0.9), "nesterov": True}},
}


def test_no_memory_is_kept_without_momentum():
    assert sgd().slots == ()
