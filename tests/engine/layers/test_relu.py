"""The rectifier; its derivative at the kink is 0."""

import torch

CASES = {
    "members": {"x": "PBH", "reference": torch.relu, "kinks": (0.0,)},
    "one": {"x": "BH", "reference": torch.relu, "kinks": (0.0,)},
}
