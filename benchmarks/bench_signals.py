"""A training run that is asked to stop: seconds from the signal to a durable checkpoint, and to the end of the process.

SIGTERM and Ctrl-C, twenty times each, to runs without an end. A checkpoint is durable when its file has its own name,
which it gets by a rename after an fsync.
"""

import argparse
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

# Promised: 2 s, however large the model.
LIMIT = 2.0
RUNS = {
    "digits, MLP 64-32, 2 members": "digits --model mlp --hidden 64-32 --dropout 0.1 --learning-rate 0.01,0.05",
    "CIFAR-10, linear, 64 members": (
        "cifar10 --loss softmax,hinge --l2 0,0.0001,0.001,0.01"
        " --learning-rate 0.0001,0.0003,0.001,0.003,0.01,0.03,0.1,0.3"
    ),
}
SIGNALS = {"SIGTERM": (signal.SIGTERM, 143), "Ctrl-C": (signal.SIGINT, 130)}


class Stop(NamedTuple):
    """Seconds from a signal until a checkpoint is durable, and until the process is gone."""

    saved: float
    gone: float


def wait(condition: Callable[[], bool], process: subprocess.Popen) -> None:
    while not condition():
        if process.poll() is not None and not condition():
            sys.exit(f"the run ended by itself: {process.stderr.read().decode()}")
        time.sleep(0.001)


def newest(folder: Path) -> str:
    return max((path.name for path in (folder / "checkpoints").glob("*.tenfold")), default="")


def rows(folder: Path) -> int:
    path = folder / "metrics.csv"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def stopped(words: str, name: str, folder: Path) -> Stop:
    """Start a run, stop it once it trains."""
    number, code = SIGNALS[name]
    command = [sys.executable, "-m", "tenfold", "train", *words.split(), "--epochs", "1000000", "--out", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        wait(lambda: rows(folder) > 3, process)
        before, start = newest(folder), time.perf_counter()
        process.send_signal(number)
        wait(lambda: newest(folder) > before, process)
        saved = time.perf_counter() - start
        process.communicate()
        gone = time.perf_counter() - start
    assert process.returncode == code, f"left with {process.returncode}, not {code}"
    assert json.loads((folder / "status.json").read_text())["state"] == "interrupted"
    return Stop(saved, gone)


def measured(words: str, name: str, times: int) -> dict[str, float | bool]:
    """Median and worst of so many stops."""
    stops = []
    for _ in range(times):
        with tempfile.TemporaryDirectory() as place:
            stops.append(stopped(words, name, Path(place, "run")))
    saved, gone = zip(*stops, strict=True)
    return {
        "saved_median": statistics.median(saved),
        "saved_worst": max(saved),
        "gone_median": statistics.median(gone),
        "gone_worst": max(gone),
        "met": max(saved) <= LIMIT,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--run", choices=RUNS, help="one of them alone")
    parser.add_argument("--json", type=Path, default=Path(sys.argv[0]).with_suffix(".json"))
    options = parser.parse_args()
    print(f"Signals; {options.times} of each kind, {platform.machine()}, {os.cpu_count()} cores")
    table = []
    for run in [options.run] if options.run else RUNS:
        for name in SIGNALS:
            row = measured(RUNS[run], name, options.times)
            table.append({"run": run, "signal": name, **row})
            saved, gone = (f"{row[f'{k}_median']:.2f} s and {row[f'{k}_worst']:.2f} s" for k in ("saved", "gone"))
            print(f"  {run}, {name}: median and worst until a checkpoint is durable {saved}, until the process")
            print(f"    is gone {gone}; saved within {LIMIT:.0f} s: {'met' if row['met'] else 'MISSED'}", flush=True)
    options.json.write_text(json.dumps({"title": "Signals", "times": options.times, "stops": table}, indent=1) + "\n")


if __name__ == "__main__":
    main()
