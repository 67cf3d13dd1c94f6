"""The exact Gaussian error linear unit against torch's."""

from torch.nn.functional import gelu

CASES = {"members": {"x": "PBH", "reference": gelu}, "one": {"x": "BH", "reference": gelu}}
