"""Every fault that students make, on random problems: does the doctor name it; and does it leave right functions alone?

.venv/bin/python tests/campaigns/diagnoses.py --problems 20 --right 1000
"""

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
import traceback
from collections import Counter
from functools import partial
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported
sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.teach.doctor.students.judging import Judgement, judged
from tests.teach.doctor.students.problems import RightCase, problems, right_cases
from tests.teach.doctor.students.registry import FAULTS, STUDENTS

OUTCOMES = ("named", "listed", "other", "none", "missed", "unclear", "crash")


def looked_at(case: RightCase, folder: str) -> Judgement:
    own = Path(folder, str(os.getpid()))  # each job writes the functions' files anew
    own.mkdir(exist_ok=True)
    try:
        return judged(*case, own)
    except Exception as error:  # one crash should not end the campaign
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).name}:{last.lineno}"
        return Judgement("crash", type(error).__name__, f"{type(error).__name__}: {error} at {place}")


def all_cases(options: argparse.Namespace) -> list[RightCase]:
    wrong = [student for student in STUDENTS if student.fault and options.only in student.name]
    tried = [RightCase(s, problems(s, seed), seed) for s in wrong for seed in range(options.first, options.problems)]
    return tried + list(right_cases(options.right, options.seed))


def table(outcomes: dict[str, Counter[str]]) -> str:
    """A line for each fault: how often it was named, and how not."""
    width = max(map(len, FAULTS))
    lines = [" ".join([" " * width, *(f"{word:>8}" for word in OUTCOMES), f"{'share':>8}"])]
    for fault, count in [*outcomes.items(), ("all", sum(outcomes.values(), Counter()))]:
        share = 100 * count["named"] / max(1, count.total())
        lines.append(" ".join([f"{fault:{width}}", *(f"{count[word]:8}" for word in OUTCOMES), f"{share:7.1f}%"]))
    return "\n".join(lines)


def report(cases: list[RightCase], judgements: list[Judgement]) -> int:
    """The tables, then every case that did not come out as it should; how many those are."""
    outcomes: dict[str, Counter[str]] = {fault: Counter() for fault in FAULTS}
    confusion, right, odd = Counter(), Counter(), []
    for case, judgement in zip(cases, judgements, strict=True):
        if case.student.fault:
            outcomes[case.student.fault][judgement.outcome] += 1
            confusion[(case.student.fault, judgement.told)] += judgement.outcome != "named"
        else:
            right[judgement.outcome] += 1
        if judgement.outcome not in ("named", "passed"):
            odd.append(
                f"{judgement.outcome:8} {case.student.name} seed {case.seed} {case.assignment} {judgement.sentence}"
            )
    print(table(outcomes))
    print("\nconfusion:", *(f"{a} taken for {b}: {n}" for (a, b), n in confusion.most_common() if n), sep="\n  ")
    print(f"\nright functions: {dict(right)}\n", *odd, sep="\n")
    return len(odd)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--right", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="students whose name holds this")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    cases, start = all_cases(options), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        judgements = list(pool.imap(partial(looked_at, folder=folder), cases, chunksize=8))
    bad = report(cases, judgements)
    print(f"\n{len(cases)} cases in {time.perf_counter() - start:.0f} s, {bad} of them not as they should be")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
