"""Binary cross-entropy of every class against torch's."""

import math

from torch.nn.functional import binary_cross_entropy_with_logits, one_hot


def each(z, y):
    return binary_cross_entropy_with_logits(z, one_hot(y, z.shape[-1]).to(z.dtype), reduction="none").mean(-1)


CASES = {"each": each, "at_zero": lambda classes: math.log(2), "shift_invariant": False, "rows_sum_to_zero": False}
