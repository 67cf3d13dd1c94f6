"""Plain English in the source, counted: docstrings, names of locals, functions and classes."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import tenfold

ROOT = Path(tenfold.__file__).parent
TREES = {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in ROOT.rglob("*.py")}
NODES = [(f"{name}:{getattr(node, 'lineno', 1)}", node) for name, tree in TREES.items() for node in ast.walk(tree)]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DESCRIBED = (ast.Module, ast.ClassDef, *FUNCTIONS)

# All limits only go down.
QUESTIONS = 0
"""Docstrings that open with "What" or "Whether"."""
NO_IMPERATIVES = 6
"""Docstrings of functions whose first word is not seen to be an imperative: verbs with a comma behind them."""
EMPTY_LOCALS = 0
"""Locals and arguments called found, told, own or known."""
EMPTY_FUNCTIONS = 0
"""Functions called _told or _plain."""
SHARED_CLASSES = 0
"""Names that several classes have."""
UNTYPED = 15
"""Thousandths of all annotations that hold dict[str, Any]."""

EMPTY = {"found", "told", "own", "known"}
# First words that end like an imperative, but are none.
NO_VERBS = set(
    re.findall(
        r"\w+",
        """
        a an the this that it how every each one two three all any some no none not only both either where when which
        who why while with without within in on into from to at by for as than and or if so but what whether there then
        such same other another most least more less few many several here beside below above behind around true false
        whole first next last former latter largest smallest nearest best worst exact equal value text row path
        folder sentence gradient image part number share
        """,
    )
)
# Imperatives that end like a plural, a participle or a gerund.
VERBS = {"pass", "discuss", "express", "process", "guess", "cross", "press", "miss", "access", "focus", "bring", "feed"}


def nodes(kinds):
    """Every node of some kinds, with its place."""
    return ((place, node) for place, node in NODES if isinstance(node, kinds))


def docstrings(kinds):
    for place, node in nodes(kinds):
        if text := ast.get_docstring(node):
            yield place, text.splitlines()[0]


def is_imperative(text):
    """Judge the first word and the one behind it: a verb is not followed by "of", a colon or a comma."""
    match = re.match(r"([A-Z][a-z]+)(?=[\s.])(?! of\b)", text)
    word = match[1].lower() if match else "the"
    return word in VERBS or (word not in NO_VERBS and not word.endswith(("s", "ed", "ing")))


@cache
def names_of(function):
    """Names of the arguments and locals of a function."""
    arguments = {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    stored = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return arguments | stored


def listed(lines):
    return "\n".join(map(str, lines))


def test_docstrings_are_no_questions():
    questions = [line for line in docstrings(DESCRIBED) if re.match(r"(What|Whether)\b", line[1])]
    assert len(questions) <= QUESTIONS, listed(questions)


def test_docstrings_of_functions_begin_with_an_imperative():
    others = [line for line in docstrings(FUNCTIONS) if not is_imperative(line[1])]
    assert len(others) <= NO_IMPERATIVES, listed(others)


@pytest.mark.parametrize(
    "text", ["A table.", "Every row", "Numbers", "Sorted x", "Returns x", "Name of it", "Table: x", "(n,) x", "`x` is"]
)
def test_a_noun_is_no_imperative(text):
    assert not is_imperative(text)


@pytest.mark.parametrize("text", ["Return it.", "Pass it on.", "Draw.", "Name the fault", "Feed it."])
def test_a_verb_is_an_imperative(text):
    assert is_imperative(text)


def test_locals_are_named_for_their_noun():
    empty = [(place, *sorted(names_of(node) & EMPTY)) for place, node in nodes(FUNCTIONS) if names_of(node) & EMPTY]
    assert sum(len(names) for _, *names in empty) <= EMPTY_LOCALS, listed(empty)


def test_functions_are_named_for_what_they_do():
    empty = [place for place, node in nodes(FUNCTIONS) if node.name in ("_told", "_plain")]
    assert len(empty) <= EMPTY_FUNCTIONS, listed(empty)


def test_every_class_has_a_name_of_its_own():
    places = {}
    for place, node in nodes(ast.ClassDef):
        places.setdefault(node.name, []).append(place)
    shared = [(name, *where) for name, where in places.items() if len(where) > 1]
    assert len(shared) <= SHARED_CLASSES, listed(shared)


def test_results_have_types():
    notes = [getattr(node, "annotation", None) or getattr(node, "returns", None) for _, node in nodes(ast.AST)]
    notes = [ast.unparse(note) for note in notes if note]
    untyped = sum("dict[str, Any]" in note for note in notes)
    assert 1000 * untyped <= UNTYPED * len(notes), f"{untyped} of {len(notes)} annotations"
