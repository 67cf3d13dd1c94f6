"""Mixed pairs: the inputs, and a loss that is linear in the targets."""

import numpy as np
import torch

from tenfold.data.augmentations.mixup import mixup
from tenfold.data.batches import Changes, Part, sampler
from tenfold.engine.losses.softmax import softmax
from tenfold.engine.objective import weighed

CASES = {"mixes": True}


def test_a_batch_is_mixed_with_a_permutation_of_itself(draw):
    images = draw(6, 2, 3, 3)
    mixed, others, share = mixup(images, np.random.default_rng(3), 0.5)
    assert sorted(others.tolist()) == list(range(6))
    assert 0 < share < 1
    torch.testing.assert_close(mixed, share * images + (1 - share) * images[others])


def test_the_loss_counts_both_targets_by_their_shares(draw, rng):
    pixels, labels = torch.from_numpy(rng.integers(0, 256, (20, 1, 4, 4), dtype=np.uint8)), torch.arange(20) % 3
    part = Part(pixels, labels, torch.arange(20), torch.ones(16).double(), torch.zeros(16).double())
    batches = sampler(part, 8, 0, "shuffle", Changes(others={"mixup": 1.0}), (16,), lambda size: {})
    batch, plain = batches(1), sampler(part, 8, 0, "shuffle", Changes(), (16,), lambda size: {})(1)
    assert torch.equal(batch.targets, plain.targets)
    assert not torch.equal(batch.inputs, plain.inputs)
    z = draw(2, 8, 3)
    value, dz = weighed(softmax, z, batch)
    target = batch.share * torch.eye(3)[batch.targets] + (1 - batch.share) * torch.eye(3)[batch.partners]
    torch.testing.assert_close(value, -(target * z.log_softmax(-1)).sum(-1).mean(-1))
    torch.testing.assert_close(dz, (z.softmax(-1) - target) / 8)
