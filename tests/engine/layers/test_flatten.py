"""An image as a row."""

CASES = {"images": {"x": "PBCUV", "reference": lambda x: x.flatten(2)}}
