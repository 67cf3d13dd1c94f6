"""The sigmoid linear unit against torch's."""

from torch.nn.functional import silu

CASES = {"members": {"x": "PBH", "reference": silu}, "one": {"x": "BH", "reference": silu}}
