"""kill -9 at random moments of train and fit, again and again, then compare with the runs that were left alone.

    .venv/bin/python tests/campaigns/kills.py --kills 1000

Prints a line a run and the verdict; leaves with 1 if one run ended with other bits.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MLP = "--model mlp --hidden 64-32 --dropout 0.1 --momentum 0.9"
COMMANDS = {
    "linear": "train digits --learning-rate 0.01,0.1 --loss softmax,hinge --epochs 150",
    "mlp": f"train digits {MLP} --learning-rate 0.01,0.05 --patience 90 --epochs 100",
    "replacement": f"train digits {MLP} --optimizer adam --sampling replacement --flip 0.5 --iterations 1500",
    "fit": "fit digits --minutes 30 --limit 300",
}
# Checkpoints every few steps, so that every kill falls between two of them; one thread, so that runs do not disturb.
ENVIRONMENT = {**os.environ, "TENFOLD_CHECKPOINT_SECONDS": "0.05", "OMP_NUM_THREADS": "1"}


def run(*words: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-m", "tenfold", *words], stdout=subprocess.DEVNULL, env=ENVIRONMENT)


def digests(folder: Path) -> tuple[bytes, list[str]]:
    """metrics.csv, and the weights' digests in the result."""
    result = json.loads((folder / "result.json").read_text())
    return (folder / "metrics.csv").read_bytes(), [
        m["weights_sha256"] for m in result.get("members") or result["rungs"]
    ]


def killed(command: str, folder: Path, seconds: float, dice: random.Random) -> int:
    """Bring a run to its end through kills at random moments; returns how many there were."""
    kills = 0
    process = run(*command.split(), "--out", str(folder))
    while True:
        try:
            process.wait(dice.uniform(0.8, 0.8 + seconds))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
        else:
            return kills
        words = ("resume", str(folder)) if folder.exists() else (*command.split(), "--out", str(folder))
        process = run(*words)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    dice, total, wrong = random.Random(options.seed), 0, 0
    with tempfile.TemporaryDirectory() as place:
        wanted, seconds = {}, {}
        for name, command in COMMANDS.items():
            start = time.monotonic()
            run(*command.split(), "--out", f"{place}/{name}").wait()
            seconds[name] = time.monotonic() - start
            wanted[name] = digests(Path(place, name))
        while total < options.kills:
            for name, command in COMMANDS.items():
                folder = Path(place, f"{name}-{total}")
                kills = killed(command, folder, seconds[name], dice)
                same = digests(folder) == wanted[name]
                total, wrong = total + kills, wrong + (not same)
                print(f"{name:<12} {kills} kills: {'the same bits' if same else 'OTHER BITS'}", flush=True)
    print(f"{total} kills, {wrong} runs with other bits")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
