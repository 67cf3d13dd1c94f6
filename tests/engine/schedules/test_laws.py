"""The laws of schedules: the factor on the learning rate, against torch's schedulers where torch has it."""

import pytest
import torch

from tests.engine.cases import over

TOTAL, EPOCH = 40, 4


def factors_of_torch(make):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler, factors = make(optimizer, TOTAL, EPOCH), []
    for _ in range(TOTAL):
        factors.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return factors


@pytest.mark.parametrize(("schedule", "case"), over("schedules", lambda case: "torch" in case))
def test_the_factor_is_that_of_torch(schedule, case):
    ours = [float(schedule(t, TOTAL, EPOCH, **case["options"])) for t in range(TOTAL)]
    torch.testing.assert_close(ours, factors_of_torch(case["torch"]), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("schedule", "case"), over("schedules", lambda case: "torch" not in case))
def test_every_member_has_its_own_factor(schedule, case):
    options = case["options"]
    tensors = {n: torch.tensor(v, dtype=torch.float64) for n, v in options.items() if isinstance(v, tuple)}
    for t in range(TOTAL):
        together = torch.as_tensor(schedule(t, TOTAL, EPOCH, **options | tensors), dtype=torch.float64).expand(3)
        alone = [schedule(t, TOTAL, EPOCH, **options | {n: options[n][k] for n in tensors}) for k in range(3)]
        torch.testing.assert_close(together.tolist(), alone, rtol=0, atol=1e-15)
