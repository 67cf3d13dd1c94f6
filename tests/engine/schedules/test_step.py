"""Decay at regular intervals."""

from torch.optim.lr_scheduler import StepLR

CASES = {
    "iterations": {
        "options": {"decay_factor": 0.5, "decay_every": 7, "decay_unit": "iterations"},
        "torch": lambda optimizer, total, epoch: StepLR(optimizer, 7, 0.5),
    },
    "epochs": {
        "options": {"decay_factor": 0.1, "decay_every": 2, "decay_unit": "epochs"},
        "torch": lambda optimizer, total, epoch: StepLR(optimizer, 2 * epoch, 0.1),
    },
    "varying": {"options": {"decay_factor": (0.1, 0.5, 1.0), "decay_every": 7, "decay_unit": "iterations"}},
}
