"""Half a cosine."""

from torch.optim.lr_scheduler import CosineAnnealingLR

CASES = {"cosine": {"options": {}, "torch": lambda optimizer, total, epoch: CosineAnnealingLR(optimizer, total)}}
