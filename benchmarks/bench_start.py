"""Time whole commands of two builds in turn: A B A B …, each a process of its own, and count the modules it imports.

    git worktree add ../before REVISION
    python benchmarks/bench_start.py ../before/src [--rounds 7]

Prints, for each command, the median ratio of this build to the other, in seconds and in seconds of processor time
(user and system), and how many of the package's modules `train` imports. Without another build it prints seconds alone.
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


def report(name: str, largest: float, pairs: list[list[tuple[float, float]]]) -> dict[str, object]:
    """Print and return the seconds of one command, and the median ratio where there is another build."""
    seconds = [statistics.median(pair[i][0] for pair in pairs) for i in range(len(pairs[0]))]
    if len(seconds) == 1:
        print(f"  {name}: {seconds[0]:.2f} s", flush=True)
        return {"command": name, "seconds": seconds}
    wall, cpu = (statistics.median(ours[i] / other[i] for ours, other in pairs) for i in (0, 1))
    verdict = "met" if wall <= largest else "MISSED"
    print(f"  {name}: {wall:.3f} × ({seconds[0]:.2f} s and {seconds[1]:.2f} s), processor time {cpu:.3f} ×; ", end="")
    print(f"at most {largest:.2f}: {verdict}", flush=True)
    return {"command": name, "seconds": seconds, "ratio": wall, "processor": cpu, "largest": largest}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "other", type=Path, nargs="?", help="src folder of another build; without it nothing is compared"
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, default=Path(__file__).with_suffix(".json"))
    options = parser.parse_args()
    sources = [HERE, *([options.other.resolve()] if options.other else [])]
    rows = []
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        for number, (name, (words, largest)) in enumerate(COMMANDS.items()):
            pairs = [
                [timed(source, words, place / f"{number}-{k}-{i}") for i, source in enumerate(sources)]
                for k in range(options.rounds + 1)
            ]
            rows.append(report(name, largest, pairs[1:]))  # the first round warms the disk and does not count
        counts = [modules(source, place / f"count-{i}") for i, source in enumerate(sources)]
    print(f"  modules that `train` imports: {' and '.join(map(str, counts))}")
    options.json.write_text(json.dumps({"commands": rows, "modules": counts}, indent=1) + "\n")


if __name__ == "__main__":
    main()
