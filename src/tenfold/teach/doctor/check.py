"""`tenfold check`: gradients examined, laws of losses, and a model's first steps on data, as one result."""

__all__ = ["Request", "check"]

import math
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, cast

from threadpoolctl import threadpool_limits

from tenfold.errors import UsageError
from tenfold.files import as_json
from tenfold.recipe import UNLABELED, Recipe
from tenfold.rooms import names
from tenfold.seeds import generator
from tenfold.teach.doctor.diagnosis import examine
from tenfold.teach.doctor.entries import ENTRIES, entry_subject
from tenfold.teach.doctor.guarded import silenced
from tenfold.teach.doctor.laws import laws
from tenfold.teach.doctor.sanity import sanity
from tenfold.teach.doctor.subject import Evaluation, Problem, Subject
from tenfold.teach.doctor.userfile import user_subjects

FLOAT32 = "float32 has 7 digits: differences cannot agree with a right gradient better than to about 2e-05"
SLOW = 0.1  # seconds of a call
PACE = 5.0  # seconds between two lines of progress
ONE_HOT = "its targets were rows of any numbers; if labels are meant, one 1 among zeros, say y={rows}:{classes}:onehot"
ELSE = "nor an entry of Tenfold such as losses/hinge"
LONGEST = 300  # letters beyond which a target that is not there is not repeated whole
IN_PLACE = "it writes into its argument {names}: whoever calls it finds other numbers there; work on a copy"


class Request(NamedTuple):
    """A request to check something in some way.

    target: "losses/hinge", a room ("losses"), FILE.py or FILE.py:function. shapes, arrays: of a user's function.
    recipe: seed, and what a model is; given: its fields that somebody chose. step: of the differences, 0: its own.
    """

    target: str
    recipe: Recipe
    given: frozenset[str] = frozenset()
    shapes: str = ""
    arrays: str = "auto"
    float32: bool = False
    points: int = 5
    step: float = 0.0
    tolerance: float = 1e-6
    data_dir: str = ""


def check(request: Request, watch: Callable[[str], None] = lambda line: None) -> dict[str, Any]:
    """Examine everything that a request names.

    Returns right (true where all gradients are), subjects (each with its verdict, blocks, findings, remarks and laws)
    and sanity (checks of a model on data, or None). Raises UsageError for what is not there, DataError for code that
    fails. watch: receives lines of text where it takes long. A user's own code prints nothing.
    """
    start = time.perf_counter()
    _refuse(request)
    # Products are too small for several threads, which would wait for each other at every one.
    with silenced() as aloud, threadpool_limits(1):

        def heard(line: str) -> None:
            with aloud():
                watch(line)

        subjects = [_examined(subject, request, heard) for subject in _subjects(request)]
    with threadpool_limits(1):
        steps = sanity(request.recipe, request.data_dir) if "data" in request.given else None
    result = {
        "target": request.target,
        "right": all(subject["verdict"] == "right" for subject in subjects),
        "subjects": subjects,
        "data": None if steps is None else request.recipe.data,
        "sanity": steps,
        "seconds": time.perf_counter() - start,
    }
    return cast(dict[str, Any], as_json(result))


def _now_and_then(watch: Callable[[str], None]) -> Callable[[str], None]:
    """Pass on what there is to say, once in a while: a quick check is over before its news is read."""
    last = time.perf_counter()

    def heard(line: str) -> None:
        nonlocal last
        if (now := time.perf_counter()) > last + PACE:
            last = now
            watch(line)

    return heard


def _counted(subject: Subject, heard: Callable[[str], None]) -> Subject:
    """Say how often the subject has been called, as it is."""
    calls = count(1)

    def evaluate(problem: Problem) -> Evaluation:
        heard(
            f"{subject.name}: called {next(calls):,} times, for the value around every point, one number after another"
        )
        return subject.evaluate(problem)

    return subject._replace(evaluate=evaluate)


def _refuse(request: Request) -> None:
    target, file = request.target, ".py:" in f"{request.target}:"
    room, _, word = target.partition("/")
    if len(target) > LONGEST and not _is_there(f"{target.partition('.py')[0]}.py"):
        raise UsageError(f"{target[:60]}… ({len(target):,} letters): no such file, {ELSE}")
    if not file and (request.shapes or request.arrays != "auto"):
        option = "--shapes" if request.shapes else "--arrays"
        raise UsageError(f"{option} is for a function of your own (my_loss.py:function); {target} has its own")
    foreign = sorted(request.given - {"seed"})
    if foreign and (file or room != "models" or not word):
        option = f"--{foreign[0].replace('_', '-')}"
        raise UsageError(f"{option} is for a model (models/linear, models/mlp); {target} is none: leave it out")
    if "data" in request.given and word in UNLABELED:
        raise UsageError(f"--data is for a classifier (models/linear, models/mlp); {target} is none")
    if request.points < 1:
        raise UsageError("--points: expected at least 1")
    for name, value, example in (("step", request.step, "1e-5"), ("tolerance", request.tolerance, "1e-6")):
        if not (math.isfinite(value) and value >= 0) or (name == "tolerance" and not value):
            raise UsageError(f"--{name} {value:g}: expected a number above 0, such as {example}")


def _is_there(path: str) -> bool:
    try:
        return Path(path).expanduser().is_file()
    except (OSError, ValueError, RuntimeError):  # too long, or no path at all
        return False


def _subjects(request: Request) -> Iterator[Subject]:
    room = request.target.rstrip("/")
    if ".py:" in f"{request.target}:":
        yield from user_subjects(request.target, request.shapes, request.arrays, request.float32)
        return
    for target in [f"{room}/{word}" for word in names(room)] if room in ENTRIES else [request.target]:
        yield entry_subject(target, request.recipe, request.given, request.float32)


def _examined(subject: Subject, request: Request, watch: Callable[[str], None]) -> dict[str, Any]:
    seed = request.recipe.seed
    point = subject.draw(generator(seed, "changed"), False)
    begun = time.perf_counter()
    changed = subject.evaluate(point).changed
    if (took := time.perf_counter() - begun) > SLOW:
        watch(f"{subject.name}: one call takes {took:.1f} s, and a check makes hundreds; smaller sizes do as well")
    heard = _now_and_then(watch)
    subject = _counted(subject, heard)
    result = examine(subject, seed, request.points, request.step, request.tolerance, heard)
    remarks = [*result.remarks, *[FLOAT32] * request.float32]
    rows = () if point.y is None or point.onehot else point.y.shape
    if result.verdict == "wrong" and subject.kind == "function" and len(rows) == 2 and rows[1] > 1:
        remarks.append(ONE_HOT.format(rows=rows[0], classes=rows[1]))
    if changed:
        remarks.append(IN_PLACE.format(names=", ".join(changed)))
    about: dict[str, Any] = {name: getattr(subject, name) for name in ("name", "kind", "shapes", "constants")}
    kind = laws(subject, seed) if result.verdict in ("right", "wrong") else []
    return {**about, **as_json(result), "remarks": remarks, "laws": kind}
