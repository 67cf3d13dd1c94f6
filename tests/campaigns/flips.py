"""Flipped bits and truncations of a real model file: every one must be found on load.

.venv/bin/python tests/campaigns/flips.py --flips 10000 --cuts 1000
"""

import argparse
import random
import sys
import tempfile
from pathlib import Path

import tenfold


def refused(path: Path, content: bytes) -> bool:
    path.write_bytes(content)
    try:
        tenfold.load_model(path)
    except tenfold.TenfoldError as error:
        return str(path) in str(error)
    return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flips", type=int, default=10_000)
    parser.add_argument("--cuts", type=int, default=1_000)
    options = parser.parse_args()
    dice = random.Random(0)
    with tempfile.TemporaryDirectory() as place:
        run = tenfold.train("digits", epochs=1, out=f"{place}/run")
        whole, path = (run.folder / "model.tenfold").read_bytes(), Path(place, "damaged.tenfold")
        missed = 0
        for _ in range(options.flips):
            damaged, bit = bytearray(whole), dice.randrange(8 * len(whole))
            damaged[bit // 8] ^= 1 << bit % 8
            missed += not refused(path, bytes(damaged))
        for _ in range(options.cuts):
            missed += not refused(path, whole[: dice.randrange(len(whole))])
    print(f"{options.flips} flipped bits, {options.cuts} truncations: {missed} not found")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
