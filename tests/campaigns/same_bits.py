"""Compare two checkouts bit by bit: six training commands must end with the same weights and the same metrics.csv.

    python tests/campaigns/same_bits.py OLD/src NEW/src

Both run on this machine, one after the other, with one thread. It prints a line for each command, and fails where the
digests of a member's weights or the bytes of metrics.csv differ.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

MLP = "--model mlp --hidden 64-32 --dropout 0.2 --learning-rate 0.003,0.01 --epochs 8"
COMMANDS = {
    "linear": "train digits --learning-rate 0.03,0.1 --l2 0,1e-3 --loss softmax,hinge --epochs 8",
    "mlp with dropout and adam": f"train digits {MLP} --optimizer adam --clip-norm 1 --schedule cosine",
    "halved sweep": "sweep digits --model mlp --hidden 32 --learning-rate 0.01:1:log --members 9 --halving 3",
    "flips that differ": "train digits --flip 0,0.3,0.5 --learning-rate 0.03 --epochs 8 --momentum 0.9",
    "codes": "train digits --features codes --encoder-hidden 32-16 --encoder-epochs 3 --epochs 8",
    "bfloat16": "train digits --precision bfloat16 --learning-rate 0.03,0.1 --epochs 8 --sampling replacement",
}


def digests(result: object) -> list[str]:
    """Every weights_sha256 of a result, in its order."""
    if isinstance(result, dict):
        own = [result["weights_sha256"]] if isinstance(result.get("weights_sha256"), str) else []
        return own + [digest for value in result.values() for digest in digests(value)]
    return [digest for item in result for digest in digests(item)] if isinstance(result, list) else []


def trained(source: str, command: str, folder: Path) -> tuple[list[str], list[bytes]]:
    """Digests of weights, and the bytes of each metrics.csv, that a command leaves with the code of source."""
    environment = {**os.environ, "PYTHONPATH": source, "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-m", "tenfold", *command.split(), "--out", str(folder), "--json"]
    printed = subprocess.run(words, env=environment, capture_output=True, check=True).stdout
    results = [json.loads(printed.splitlines()[-1])]
    results += [json.loads(path.read_text()) for path in sorted(folder.glob("units/*/*/outcome.json"))]
    return digests(results), [path.read_bytes() for path in sorted(folder.rglob("metrics.csv"))]


def main() -> None:
    old, new = sys.argv[1:]
    different = 0
    with tempfile.TemporaryDirectory() as made:
        for number, (name, command) in enumerate(COMMANDS.items()):
            before, after = (
                trained(source, command, Path(made) / f"{number}-{k}") for k, source in enumerate((old, new))
            )
            assert before[0], f"{name}: no digest of weights"
            same = before == after
            different += not same
            print(f"{name}: {len(before[0])} digests, {len(before[1])} metrics.csv: {'same' if same else 'DIFFERENT'}")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
