"""No activation."""

CASES = {
    "members": {"x": "PBH", "reference": lambda x: x * 1.0},
    "one": {"x": "BH", "reference": lambda x: x * 1.0},
}
