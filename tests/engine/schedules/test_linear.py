"""Linear decay to zero."""

from torch.optim.lr_scheduler import LinearLR

CASES = {
    "to zero": {
        "options": {},
        "torch": lambda optimizer, total, epoch: LinearLR(optimizer, 1.0, 0.0, total),
    }
}
