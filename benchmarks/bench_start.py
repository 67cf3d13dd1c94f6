"""Time whole commands of two builds in turn: A B A B …, each a process of its own, and count the modules it imports.

    git worktree add ../before REVISION
    python benchmarks/bench_start.py ../before/src [--rounds 7]

Prints, for each command, the median ratio of this build to the other, in seconds and in seconds of processor time
(user and system), and how many of the package's modules `train` imports.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parents[1] / "src"
COMMANDS = {
    "--help": (["--help"], 1.0),
    "train digits": (["train", "digits"], 0.75),
    "fit digits": (["fit", "digits"], 0.85),
}
COUNT = """
import sys
sys.argv = ["tenfold", "train", "digits", "--out", sys.argv[1]]
from tenfold.cli import main
try:
    main()
finally:
    print(sum(name == "tenfold" or name.startswith("tenfold.") for name in sys.modules), file=sys.stderr)
"""


def timed(source: Path, words: list[str], folder: Path) -> tuple[float, float]:
    """Return wall and processor seconds of one command with the code of source."""
    out = [] if words == ["--help"] else ["--out", str(folder)]
    before, start = os.times(), time.perf_counter()
    command = [sys.executable, "-m", "tenfold", *words, *out]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(source)}, capture_output=True, check=True)
    wall, after = time.perf_counter() - start, os.times()
    return wall, after.children_user + after.children_system - before.children_user - before.children_system


def modules(source: Path, folder: Path) -> int:
    """Count the package's modules that `train digits` imports."""
    environment = {**os.environ, "PYTHONPATH": str(source)}
    run = subprocess.run([sys.executable, "-c", COUNT, str(folder)], env=environment, capture_output=True, text=True)
    return int(run.stderr.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", type=Path, help="src folder of the other build")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, default=Path(__file__).with_suffix(".json"))
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        for number, (name, (words, largest)) in enumerate(COMMANDS.items()):
            pairs = []
            for k in range(options.rounds + 1):  # the first pair warms the disk and does not count
                pairs.append(
                    [timed(s.resolve(), words, place / f"{number}-{k}-{s is HERE}") for s in (HERE, options.other)]
                )
            wall, cpu = (statistics.median(ours[i] / other[i] for ours, other in pairs[1:]) for i in (0, 1))
            seconds = [statistics.median(pair[i][0] for pair in pairs[1:]) for i in (0, 1)]
            verdict = "met" if wall <= largest else "MISSED"
            rows.append({"command": name, "ratio": wall, "processor": cpu, "seconds": seconds, "largest": largest})
            print(
                f"  {name}: {wall:.3f} × ({seconds[0]:.2f} s and {seconds[1]:.2f} s), processor time {cpu:.3f} ×; ",
                end="",
            )
            print(f"at most {largest:.2f}: {verdict}", flush=True)
        counts = [modules(s.resolve(), place / f"count-{k}") for k, s in enumerate((HERE, options.other))]
    print(f"  modules that `train` imports: {counts[0]} and {counts[1]}")
    options.json.write_text(json.dumps({"commands": rows, "modules": counts}, indent=1) + "\n")


if __name__ == "__main__":
    main()
