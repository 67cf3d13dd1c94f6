"""Two contestants timed in turn, A B A B …, each in a process of its own; what counts is the ratio, round by round.

A busy machine slows both alike, a process of its own keeps one's idle threads out of the other's way, and only two run
at a time, because what a third does to caches and clock speed would count for one and not for the other.
"""

__all__ = ["Budget", "main"]

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
    """Our contestant may take at most `largest` times what another takes, a member and epoch.

    rounds: of this pair, where one takes minutes; 0: as many as the command line says.
    """

    ours: str
    against: str
    largest: float
    rounds: int = 0


def serve(epoch: Callable[[], object]) -> None:
    """Be one contestant: an epoch for each line on stdin, its seconds on stdout; the first epoch does not count."""
    epoch()
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        epoch()
        print(time.perf_counter() - start, flush=True)


def started(name: str) -> subprocess.Popen:
    # The same patience for everybody's threads, as the package sets it for itself.
    environment = {**os.environ, "GOMP_SPINCOUNT": "10000"}
    command = [sys.executable, sys.argv[0], "--serve", name]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, env=environment
    )
    assert process.stdout.readline() == "ready\n", f"{name} did not start"
    return process


def in_turn(names: Sequence[str], rounds: int) -> list[list[float]]:
    """Seconds of every epoch of each contestant."""
    processes, seconds = [started(name) for name in names], [[] for _ in names]
    for _ in range(rounds):
        for process, times in zip(processes, seconds, strict=True):
            process.stdin.write("go\n")
            times.append(float(process.stdout.readline()))
    for process in processes:
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
    print(f"{title}; {options.rounds} rounds in turn, {platform.machine()}, {os.cpu_count()} cores")
    rows = []
    for budget in budgets:
        names = (budget.ours, budget.against)
        times = in_turn(names, budget.rounds or options.rounds)
        each = [[t / contestants[name][1] for t in own] for name, own in zip(names, times, strict=True)]
        ratio = statistics.median(a / b for a, b in zip(*each, strict=True))
        seconds = [statistics.median(own) for own in each]
        verdict = "met" if ratio <= budget.largest else "MISSED"
        rows.append({**budget._asdict(), "seconds": seconds, "ratio": ratio, "met": ratio <= budget.largest})
        print(f"  {names[0]} takes 1/{1 / ratio:.2f} of {names[1]} ({seconds[0]:.4f} s and {seconds[1]:.4f} s a member")
        print(f"    and epoch); budget 1/{1 / budget.largest:.2f}: {verdict}", flush=True)
    options.json.write_text(json.dumps({"title": title, "ratios": rows}, indent=1) + "\n")
