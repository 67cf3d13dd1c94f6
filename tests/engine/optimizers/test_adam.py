"""Adam against torch's."""

import torch


def case(beta1, beta2, epsilon=1e-8):
    make = lambda params, rate: torch.optim.Adam(params, lr=rate, betas=(beta1, beta2), eps=epsilon)  # noqa: E731
    return {"options": {"beta1": beta1, "beta2": beta2, "epsilon": epsilon}, "torch": make}


CASES = {
    "usual": case(0.9, 0.999),
    "quick": case(0.5, 0.9),
    "no mean": case(0.0, 0.99),
    "large epsilon": case(0.9, 0.999, 0.1),
    "varying": {"options": {"beta1": (0.0, 0.5, 0.9), "beta2": (0.9, 0.99, 0.999)}},
}
