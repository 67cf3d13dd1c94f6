"""Contestants timed in turn, round after round, so that a busy machine slows all of them alike; ratios of medians."""

__all__ = ["Contestant", "compare", "report"]

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from tenfold.products import route


class Contestant(NamedTuple):
    """Something that takes time. run: trains one epoch; members: models that it trains at once."""

    name: str
    run: Callable[[], object]
    members: int = 1


def compare(contestants: Sequence[Contestant], rounds: int) -> dict[str, float]:
    """Median seconds per member of every contestant, after one round that does not count."""
    seconds: dict[str, list[float]] = {contestant.name: [] for contestant in contestants}
    for turn in range(rounds + 1):
        for contestant in contestants:
            start = time.perf_counter()
            contestant.run()
            if turn:
                seconds[contestant.name].append((time.perf_counter() - start) / contestant.members)
    return {name: statistics.median(times) for name, times in seconds.items()}


def report(title: str, medians: dict[str, float], budgets: Sequence[tuple[str, str, float]], path: Path) -> None:
    """Print seconds and ratios, say which budget is met, write JSON. budgets: (ours, against, largest ratio)."""
    print(
        f"{title}\n{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads, products: {route()}"
    )
    for name, seconds in medians.items():
        print(f"  {name:<44} {seconds:8.4f} s a member and epoch")
    rows = []
    for ours, against, bound in budgets:
        ratio = medians[ours] / medians[against]
        rows.append({"ours": ours, "against": against, "ratio": ratio, "budget": bound, "met": ratio <= bound})
        verdict = "met" if ratio <= bound else "MISSED"
        print(f"  {ours} / {against}: 1/{1 / ratio:.2f}   budget 1/{1 / bound:.2f}: {verdict}")
    path.write_text(json.dumps({"title": title, "seconds": medians, "ratios": rows}, indent=1) + "\n")


def arguments(default_rounds: int) -> argparse.Namespace:
    """Common options."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=default_rounds)
    parser.add_argument("--json", type=Path, default=None, help="where the numbers go")
    return parser.parse_args()
