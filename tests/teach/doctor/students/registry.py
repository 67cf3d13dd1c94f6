"""All students: the right ones and one for every fault of every file."""

__all__ = ["FAULTS", "STUDENTS", "Student", "blocks_of"]

import ast
import linecache
import sys
import types
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tests.teach.doctor.students.bases import BASES, Base

HERE = Path(__file__).parent
FAULTS = (
    "missing_mean",
    "doubled_mean",
    "penalty_left_out",
    "penalty_doubled",
    "penalty_on_bias",
    "transposed",
    "sum_over_classes",
    "wrong_activation_derivative",
    "derivative_misplaced",
    "sign",
    "label_not_subtracted",
    "diagonal_jacobian",
    "rival_includes_label",
    "stale",
    "bias_not_summed",
    "batch_summed_twice",
    "mask_redrawn",
    "clipped",
    "differs_between_calls",
    "other_hinge",
    "hinge_indicator",
    "penalty_sign_lost",
    "penalty_summed",
    "bias_from_weights",
)


@cache
def compiled(source: str, name: str):
    """The code of a file, and its last function's name: the one that is handed in."""
    tree = ast.parse(source)
    return compile(tree, name, "exec"), [node.name for node in tree.body if isinstance(node, ast.FunctionDef)][-1]


class Student(NamedTuple):
    """One function handed in. fault: its word, "" where it is right; demands: of the sizes; source: of the file."""

    name: str
    base: Base
    fault: str
    demands: tuple[str, ...]
    source: str

    @property
    def entry(self) -> str:
        """Name of the function."""
        return compiled(self.source, f"<{self.name}>")[1]

    @property
    def function(self):
        """The function in a new module, which remembers nothing of another."""
        module = types.ModuleType(self.name)
        module.__file__ = f"<{self.name}>"
        linecache.cache[module.__file__] = (len(self.source), None, self.source.splitlines(True), module.__file__)
        sys.modules[self.name] = module
        code, entry = compiled(self.source, module.__file__)
        exec(code, module.__dict__)
        return getattr(module, entry)


def rewritten(source: str, edits: list[tuple[str, list[str]]]) -> str:
    """The source with each line replaced; the empty line stands for the place above the first function."""
    for old, new in edits:
        lines = source.split("\n")
        spots = [i for i, line in enumerate(lines) if (line.strip() == old if old else line.startswith("def "))]
        assert len(spots) == 1 or (spots and not old), f"{old!r} stands {len(spots)} times"
        indent = " " * (len(lines[spots[0]]) - len(lines[spots[0]].lstrip()))
        lines[spots[0] : spots[0] + bool(old)] = [indent + line for line in new] + ([] if old else ["", ""])
        source = "\n".join(lines)
    return source


def edits_of(block: str) -> list[tuple[str, list[str]]]:
    edits: list[tuple[str, list[str]]] = []
    for line in block.splitlines()[1:]:
        if line.startswith("- "):
            edits.append((line[2:], []))
        elif not edits:
            edits.append(("", [line[2:]]))
        else:
            edits[-1][1].append(line[2:])
    return edits


def single(base: Base, source: str) -> str:
    """The same function, in single precision inside."""
    entry = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)][-1]
    names = ", ".join(argument.arg for argument in entry.args.args[: len(base.names) - 1])
    cast = "a.float()" if "import torch" in source else "a.astype(np.float32)"
    lines = source.split("\n")
    lines.insert(
        entry.lineno,
        f"    {names} = [{cast} for a in [{names}]]"
        if base.parameters
        else f"    {names} = {cast.replace('a.', names + '.', 1)}",
    )
    return "\n".join(lines)


def class_of(base: Base) -> list[Student]:
    """All that was handed in for one file."""
    source = (HERE / "files" / f"{base.file}.py").read_text(encoding="utf-8")
    found = [
        Student(base.file, base, "", (), source),
        Student(f"{base.file}_float32", base, "", (), single(base, source)),
    ]
    counts: dict[str, int] = {}
    for block in (HERE / "mistakes" / f"{base.file}.txt").read_text(encoding="utf-8").strip().split("\n\n"):
        word, *demands = block.splitlines()[0].removeprefix("# ").split()
        counts[word] = counts.get(word, 0) + 1
        fault = "" if word == "right" else word
        found.append(
            Student(
                f"{base.file}_{word}_{counts[word]}", base, fault, tuple(demands), rewritten(source, edits_of(block))
            )
        )
    return found


STUDENTS = [student for base in BASES.values() for student in class_of(base)]


def blocks_of(base: Base, grads) -> dict[str, np.ndarray]:
    """What a student returned, by name of the block: a dict, one array, or a sequence with or without that of x."""
    names = base.parameters or ["x"]
    if not isinstance(grads, dict):
        parts = list(grads) if isinstance(grads, tuple | list) else [grads]
        grads = dict(zip((["x"] if len(parts) > len(names) else []) + names, parts, strict=True))
    return {name: np.asarray(grad) for name, grad in grads.items()}
