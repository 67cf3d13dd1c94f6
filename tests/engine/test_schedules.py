"""The factor on the learning rate, against torch's schedulers where torch has it."""

import pytest
import torch
from torch.optim import lr_scheduler

from tenfold.engine import schedules

TOTAL, FACTOR, EVERY = 40, 0.5, 7

CASES = {
    "constant": lambda optimizer: lr_scheduler.ConstantLR(optimizer, factor=1.0),
    "cosine": lambda optimizer: lr_scheduler.CosineAnnealingLR(optimizer, TOTAL),
    "step": lambda optimizer: lr_scheduler.StepLR(optimizer, EVERY, FACTOR),
}


def factors_of_torch(make):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler, factors = make(optimizer), []
    for _ in range(TOTAL):
        factors.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return factors


@pytest.mark.parametrize("word", schedules.__all__)
def test_the_factor_is_that_of_torch(word):
    ours = [float(getattr(schedules, word)(t, TOTAL, FACTOR, EVERY)) for t in range(TOTAL)]
    torch.testing.assert_close(ours, factors_of_torch(CASES[word]), rtol=0, atol=1e-12)


@pytest.mark.parametrize("word", schedules.__all__)
def test_every_member_has_its_own_factor(word):
    own = torch.tensor([0.1, 0.5, 1.0], dtype=torch.float64)
    for t in range(TOTAL):
        together = torch.as_tensor(getattr(schedules, word)(t, TOTAL, own, EVERY), dtype=torch.float64).expand(3)
        alone = [float(getattr(schedules, word)(t, TOTAL, float(factor), EVERY)) for factor in own]
        torch.testing.assert_close(together.tolist(), alone, rtol=0, atol=1e-15)
