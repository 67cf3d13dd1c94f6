"""Whether the doctor names the fault that a student made, and leaves the right ones alone."""

__all__ = ["Judgement", "judged"]

import warnings
from pathlib import Path
from typing import NamedTuple

from tenfold.errors import DataError
from tenfold.teach.doctor.diagnosis import examine
from tests.teach.doctor.students.problems import Assignment
from tests.teach.doctor.students.registry import Student
from tests.teach.doctor.students.subjects import subject

TELLTALES = {"transposed": "transposed", "bias_not_summed": "sum it", "bias_from_weights": "gradient of W again"}


class Judgement(NamedTuple):
    """What came out. outcome: "named" (the fault, first), "listed" (not first), "other", "none" (no word for it),
    "missed" (a wrong one called right), "unclear"; of a right one "passed", "unclear", "accused". told: the word given.
    """

    outcome: str
    told: str
    sentence: str


def judged(student: Student, assignment: Assignment, seed: int, folder: Path) -> Judgement:
    """The doctor's verdict on one problem, compared with the fault that is there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the students' own overflows
        try:
            found = examine(subject(student, assignment, folder), seed=seed)
        except DataError as error:
            return refused(student, str(error))
    words = [finding.fault for finding in found.findings]
    told = words[0] if words else found.verdict
    sentence = " / ".join((found.sentence, *(finding.sentence for finding in found.findings)))
    if not student.fault:
        return Judgement({"right": "passed", "unclear": "unclear"}.get(found.verdict, "accused"), told, sentence)
    if student.fault in words:
        return Judgement("named" if words[0] == student.fault else "listed", told, sentence)
    outcome = {"right": "missed", "unclear": "unclear"}.get(found.verdict, "other" if words else "none")
    return Judgement(outcome, told, sentence)


def refused(student: Student, message: str) -> Judgement:
    """The function was not examined: right where its shapes gave the fault away in so many words."""
    telling = TELLTALES.get(student.fault, "\0") in message
    outcome = "named" if telling else "accused" if not student.fault else "other"
    return Judgement(outcome, student.fault if telling else "refused", message)
