"""Random problems for a student: sizes, scales, constants by a seed; and the odd points that right functions meet."""

__all__ = ["HOWS", "Assignment", "RightCase", "point", "problems", "right_cases"]

import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tests.teach.doctor.students.registry import STUDENTS, Student

RANGES = {"N": (2, 8), "C": (2, 6), "K": (2, 6), "D": (2, 8), "H": (2, 8)}
HOWS = (
    "plain",
    "integers",  # kinks and ties
    "tiny",  # inputs of 1e-6
    "saturated",  # scores of ±1000
    "one_image",
    "two_classes",
    "dead",  # hidden units that no image reaches
    "duplicated",  # every image is the first one
    "zeros",  # all parameters 0: every score ties
    "no_penalty",
    "heavy_penalty",
    "confident",  # every image right by a wide margin: a gradient of nearly 0
)


class Assignment(NamedTuple):
    """One problem. shapes: as on the command line; scales: standard deviation of each array; how: one of HOWS."""

    shapes: str
    constants: dict[str, float]
    scales: dict[str, float]
    how: str = "plain"


class RightCase(NamedTuple):
    """A right function, where and how it is looked at."""

    student: Student
    assignment: Assignment
    seed: int


def seeded(*words: object) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(repr(words).encode()))


def sizes_for(student: Student, rng: np.random.Generator) -> dict[str, int]:
    """Sizes that meet the demands; N is never the number of classes, so that no two means look alike."""
    while True:
        sizes = {letter: int(rng.integers(low, high + 1)) for letter, (low, high) in RANGES.items()}
        for demand in student.demands:
            left, _, right = demand.partition("=")
            if ".." in right:
                low, high = map(int, right.split(".."))
                sizes[left] = int(rng.integers(low, high + 1))
            elif right:
                for letter in demand.split("="):
                    sizes[letter] = sizes[left]
        apart = [sizes[letter] for letter in "DHC"] if "telltale" in student.demands else []
        within = all(low <= sizes[letter] <= high for letter, (low, high) in RANGES.items())
        if within and sizes["N"] not in (sizes["C"], sizes["K"]) and len(set(apart)) == len(apart):
            return sizes


def filled(spec: str, sizes: dict[str, int]) -> str:
    """Shapes with numbers for letters: "x=NxD,y=N:C" -> "x=5x7,y=5:4"."""
    parts = [part.split("=") for part in spec.split(",")]
    return ",".join(f"{name}={''.join(str(sizes.get(c, c)) for c in shape)}" for name, shape in parts)


def problems(student: Student, seed: int, how: str = "plain") -> Assignment:
    """The problem of this seed; a fault that fits the sizes shows on a typical point of it."""
    rng = seeded(student.name, seed, how)
    sizes = sizes_for(student, rng)
    sizes |= {"one_image": {"N": 1}, "two_classes": {"C": 2}}.get(how, {})
    widest = 1.6 if student.base.parameters else 2.5
    scales = {
        name: float(np.exp(rng.uniform(np.log(0.4), np.log(widest if name in "xy" else 1.0))))
        for name in student.base.names
    }
    penalty = {"no_penalty": 0.0, "heavy_penalty": 100.0}.get(how, round(float(np.exp(rng.uniform(-3, 0))), 3))
    slope = round(float(rng.uniform(0.1, 0.3)), 2)
    constants = {name: slope if name == "slope" else penalty for name in student.base.constants}
    return Assignment(filled(student.base.spec, sizes), constants, scales, how)


def point(assignment: Assignment, rng: np.random.Generator, integers: bool = False) -> dict[str, np.ndarray]:
    """Arrays by name, in the order of the arguments."""
    arrays = {}
    for part in assignment.shapes.split(","):
        name, shape = part.split("=")
        if ":" in shape:
            count, classes = map(int, shape.split(":"))
            arrays[name] = rng.integers(0, classes, count)
        else:
            size = tuple(map(int, shape.split("x")))
            exact = integers or assignment.how == "integers"
            arrays[name] = rng.integers(-1, 2, size) * 1.0 if exact else rng.normal(0, assignment.scales[name], size)
    return settled(assignment.how, arrays)


def settled(how: str, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The point moved to where `how` says."""
    x, y = arrays["x"], arrays["y"]
    if how == "tiny":
        x *= 1e-6
    elif how == "saturated":
        x *= 1000
    elif how == "dead":
        arrays["b1"][...] -= 50
    elif how == "duplicated":
        x[:], y[:] = x[0], y[0]
    elif how == "zeros":
        arrays |= {name: np.zeros_like(array) for name, array in arrays.items() if name not in ("x", "y")}
    elif how == "confident":
        x[np.arange(len(y)), y] = x.max(axis=1) + 25
    return arrays


def fits(student: Student, how: str) -> bool:
    """Whether a right function is still right there: naive formulas overflow, some have no hidden unit or penalty."""
    base = student.base
    if how in ("saturated", "heavy_penalty") and student.name.endswith("float32"):
        return False
    return {
        "saturated": base.stable,
        "dead": bool(base.activation),
        "zeros": bool(base.parameters),
        "no_penalty": base.penalty > 0,
        "heavy_penalty": base.penalty > 0,
        "confident": not base.parameters,
        "two_classes": "C" in base.spec,
    }.get(how, True)


def right_cases(count: int, seed: int = 0) -> Iterator[RightCase]:
    """A random choice of right function, odd place, sizes and scales."""
    rng = seeded("right", seed)
    right = [student for student in STUDENTS if not student.fault]
    while count:
        student, how = right[rng.integers(len(right))], HOWS[rng.integers(len(HOWS))]
        if fits(student, how):
            count -= 1
            yield RightCase(student, problems(student, int(rng.integers(2**31)), how), int(rng.integers(2**31)))
