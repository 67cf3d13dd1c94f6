"""The leaky rectifier; its derivative at the kink is the slope below it."""

from torch.nn.functional import leaky_relu

CASES = {
    "members": {"x": "PBH", "reference": leaky_relu, "kinks": (0.0,)},
    "one": {"x": "BH", "reference": leaky_relu, "kinks": (0.0,)},
}
