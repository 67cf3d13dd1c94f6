"""Adam with decoupled weight decay against torch's."""

import torch


def case(beta1, beta2, weight_decay):
    options = {"beta1": beta1, "beta2": beta2, "weight_decay": weight_decay}

    def make(params, rate):
        return torch.optim.AdamW(params, lr=rate, betas=(beta1, beta2), eps=1e-8, weight_decay=weight_decay)

    return {"options": options, "torch": make, "decay": "weight_decay"}


CASES = {
    "usual": case(0.9, 0.999, 0.01),
    "strong decay": case(0.9, 0.999, 1.0),
    "no decay": case(0.9, 0.999, 0.0),
    "quick": case(0.5, 0.9, 0.1),
    "varying": {
        "options": {"beta1": (0.0, 0.5, 0.9), "beta2": 0.99, "weight_decay": (0.0, 0.01, 1.0)},
        "decay": "weight_decay",
    },
}
