"""Contestants timed in turn, each in a process of its own, so that none runs beside another's idle threads.

Round after round one epoch each: a busy machine slows all of them alike, and what counts is the ratio of the medians.
"""

__all__ = ["compare", "main"]

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Budget(NamedTuple):
    """Our contestant may take at most `largest` times what another takes."""

    ours: str
    against: str
    largest: float


def serve(epoch: Callable[[], object]) -> None:
    """Be one contestant: an epoch for each line on stdin, its seconds on stdout; the first epoch does not count."""
    epoch()
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        epoch()
        print(time.perf_counter() - start, flush=True)


def compare(names: Sequence[str], rounds: int) -> dict[str, list[float]]:
    """Seconds of every epoch by contestant."""
    seconds: dict[str, list[float]] = {name: [] for name in names}
    environment = {**os.environ, "GOMP_SPINCOUNT": "10000"}  # the same patience for everybody's threads
    started = {}
    for name in names:
        command = [sys.executable, sys.argv[0], "--serve", name]
        started[name] = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, env=environment
        )
        assert started[name].stdout.readline() == "ready\n", f"{name} did not start"
    for _ in range(rounds):
        for name, process in started.items():
            process.stdin.write("go\n")
            seconds[name].append(float(process.stdout.readline()))
    for process in started.values():
        process.stdin.close()
        process.wait()
    return seconds


def main(
    title: str, contestants: Mapping[str, tuple[Callable[[], Callable[[], object]], int]], budgets: Sequence[Budget]
) -> None:
    """Command line of a benchmark. contestants: name -> (what makes its epoch, members that the epoch trains)."""
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--json", type=Path, default=Path(sys.argv[0]).with_suffix(".json"), help="where the numbers go"
    )
    parser.add_argument("--serve", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(contestants[options.serve][0]())
        return
    seconds = compare(list(contestants), options.rounds)
    medians = {name: statistics.median(times) / contestants[name][1] for name, times in seconds.items()}
    print(f"{title}; median of {options.rounds} rounds in turn, {platform.machine()}, {os.cpu_count()} cores")
    for name, median in medians.items():
        print(f"  {name:<32} {median:8.4f} s a member and epoch")
    rows = []
    for budget in budgets:
        ratio = medians[budget.ours] / medians[budget.against]
        rows.append({**budget._asdict(), "ratio": ratio, "met": ratio <= budget.largest})
        told = f"{budget.ours} takes 1/{1 / ratio:.2f} of {budget.against}"
        print(f"  {told}; budget 1/{1 / budget.largest:.2f}: {'met' if ratio <= budget.largest else 'MISSED'}")
    options.json.write_text(json.dumps({"title": title, "seconds": medians, "ratios": rows}, indent=1) + "\n")
