"""A student's file as a subject, through the same door as a user's, with points of the assignment's scales."""

__all__ = ["subject"]

from functools import partial
from pathlib import Path

import numpy as np

from tenfold.teach.doctor.subject import Problem, Subject
from tenfold.teach.doctor.userfile import user_subjects
from tests.teach.doctor.students.problems import Assignment, point
from tests.teach.doctor.students.registry import Student


def drawn(assignment: Assignment, rng: np.random.Generator, integers: bool) -> Problem:
    arrays = point(assignment, rng, integers)
    x, y = arrays.pop("x"), arrays.pop("y")
    label = assignment.shapes.rpartition("=")[2].partition(":")[2]
    return Problem(x, arrays, y, int(label or 0))


def subject(student: Student, assignment: Assignment, folder: Path) -> Subject:
    """The function, from a file written for it into the folder.

    Raises DataError where its shapes give it away.
    """
    path = Path(folder, f"{student.name}.py")
    path.write_text(student.source, encoding="utf-8")
    constants = "".join(f",{name}={value!r}" for name, value in assignment.constants.items())
    (found,) = user_subjects(f"{path}:{student.entry}", assignment.shapes + constants)
    return found._replace(draw=partial(drawn, assignment))
