"""The architecture, read off the source: floors, cycles, sizes, names, annotations. Its numbers only ever go down."""

import ast
from pathlib import Path

import pytest

import tenfold
from tenfold.reproduce.trials import MEASURING

ROOT = Path(tenfold.__file__).parent
FLOORS = (
    ("errors", "text"),
    ("seeds", "files"),
    ("rooms",),
    ("recipe",),
    ("choices",),
    ("engine",),
    ("data",),
    ("trained",),
    ("runs",),
    ("search",),
    ("report",),
    ("sessions",),
    ("reproduce", "teach"),
    ("estimators",),
    ("cli",),
)
"""From the ground up: a package imports those below it, never one beside it."""

FLOOR = {package: floor for floor, packages in enumerate(FLOORS) for package in packages}
ROOMS = tuple(
    f"{package}.{room}"
    for package, rooms in {
        "engine": "layers losses embedding_losses models optimizers tasks",
        "data": "readers augmentations datasets features",
        "trained": "exports",
        "search": "samplers",
        "report": "figures",
        "teach": "faults margin.figures",
    }.items()
    for room in rooms.split()
)
NAMED_ROOMS = tuple(room for room in ROOMS if room != "data.readers")
FILES = sorted(ROOT.rglob("*.py"))
# Public functions that hand keywords to Recipe, which refuses an unknown one by name.
KEYWORDS = ("", *(f"cli.commands.{word}" for word in ("check", "fit", "probe", "train", "sweep")))
FORBIDDEN = {"utils", "util", "common", "helpers", "helper", "misc"}


def name_of(path):
    """Dotted name below the package: "losses.hinge", "loop", "" for the package itself."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


TREES = {name_of(path): ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
PATHS = {name_of(path): path for path in FILES}
every_file = pytest.mark.parametrize("name", TREES, ids=lambda name: name or "tenfold")


def targets(node):
    """Modules of the package that an import statement reaches."""
    if isinstance(node, ast.Import):
        found = [alias.name for alias in node.names]
    else:
        found = [f"{node.module}.{alias.name}" for alias in node.names]
    for target in found:
        if target == "tenfold" or target.startswith("tenfold."):
            inner = target.removeprefix("tenfold").removeprefix(".")
            yield inner if inner in TREES else inner.rpartition(".")[0]


def imports(name, top_only=False):
    nodes = TREES[name].body if top_only else ast.walk(TREES[name])
    return {t for node in nodes if isinstance(node, ast.Import | ast.ImportFrom) for t in targets(node)} - {name}


def functions(name):
    return [node for node in ast.walk(TREES[name]) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def exported(name):
    for node in TREES[name].body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            return ast.literal_eval(node.value)
    return None


def public(name):
    """Functions and classes, and the methods of these, that a reader of the package may call."""
    for node in TREES[name].body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            for method in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(method, ast.FunctionDef) and not method.name.startswith("_"):
                    yield method


@every_file
def test_every_module_has_a_floor_and_imports_downwards(name):
    package = name.partition(".")[0]
    if package in ("", "__main__"):
        return
    assert package in FLOOR, f"{name}: give {package} a floor"
    for target in imports(name):
        assert target, f"{name} imports the whole package"
        below = target.partition(".")[0]
        assert below == package or FLOOR[below] < FLOOR[package], f"{name} imports {target}, which is not below it"


def test_the_house_is_small():
    assert sum(map(len, FLOORS)) <= 18
    roots = {name for name in TREES if "." not in name and PATHS[name].name != "__init__.py"} - {"__main__"}
    assert len(roots) <= 8, f"modules at the root: {sorted(roots)}"


def test_no_imports_go_in_a_circle():
    done, path = set(), []

    def visit(name):
        assert name not in path, f"a circle: {' -> '.join([*path[path.index(name) :], name])}"
        if name not in done:
            path.append(name)
            for target in sorted(imports(name)):
                visit(target)
            done.add(path.pop())

    for name in TREES:
        if name:
            visit(name)


def test_numbers_depend_on_nothing_but_what_their_digest_covers():
    measuring = {word.removesuffix(".py") for word in MEASURING}
    waiting, reached = [name for name in TREES if name.partition(".")[0] in measuring], set()
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting += [target for target in imports(name) if target not in reached]
    assert len(reached) > 60
    # Errors and text are words: they cannot change a number.
    assert {name.partition(".")[0] for name in reached} - {"errors", "text"} <= measuring


@pytest.mark.parametrize("room", ROOMS)
def test_entries_of_a_room_never_import_each_other(room):
    for name in TREES:
        if name.startswith(f"{room}."):
            others = {target for target in imports(name) if target.startswith(f"{room}.")}
            assert not others, f"{name} imports {', '.join(sorted(others))}"


@every_file
def test_imports_stand_at_the_top_where_start_up_does_not_decide(name):
    if name and name.partition(".")[0] != "cli":
        inside = [n for f in functions(name) for n in ast.walk(f) if isinstance(n, ast.Import | ast.ImportFrom)]
        assert not inside, f"{name}:{inside[0].lineno} imports inside a function"


@every_file
def test_imports_are_absolute(name):
    assert not [n.lineno for n in ast.walk(TREES[name]) if isinstance(n, ast.ImportFrom) and n.level]


@every_file
def test_files_and_functions_are_short(name):
    assert len(PATHS[name].read_text(encoding="utf-8").splitlines()) <= 400
    for function in functions(name):
        lines = function.end_lineno - function.lineno + 1
        assert lines <= 60, f"{name}.{function.name} has {lines} lines"


def test_inheritance_inside_the_package_is_one_deep():
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }

    def depth(name):
        own = [depth(base) for base in bases[name] if base in bases]
        return 1 + max(own) if own else 0

    deep = {name: depth(name) for name in bases if depth(name) > 1}
    assert not deep, f"inherit from what inherits: {deep}"


@every_file
def test_no_keywords_are_passed_through(name):
    if name not in KEYWORDS:
        loose = [f.name for f in functions(name) if f.args.kwarg]
        assert not loose, f"{name}: ** in {', '.join(loose)}"


@every_file
def test_what_is_public_is_annotated_and_described(name):
    for node in public(name):
        where = f"{name}.{node.name}"
        assert ast.get_docstring(node), f"{where} has no docstring"
        if isinstance(node, ast.FunctionDef):
            arguments = [
                *node.args.posonlyargs,
                *node.args.args,
                *node.args.kwonlyargs,
                node.args.vararg,
                node.args.kwarg,
            ]
            bare = [a.arg for a in arguments if a and not a.annotation and a.arg not in ("self", "cls")]
            assert not bare, f"{where}: no annotation of {', '.join(bare)}"
            assert node.returns, f"{where}: no annotation of what it returns"


@every_file
def test_every_module_says_what_it_is_for_and_what_it_exports(name):
    assert ast.get_docstring(TREES[name]), f"{name} has no docstring"
    defined = {n.name for n in TREES[name].body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    if PATHS[name].name not in ("__init__.py", "__main__.py"):
        assert exported(name), f"{name} has no __all__"
        assigned = {
            t.id for n in TREES[name].body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)
        }
        annotated = {
            n.target.id for n in TREES[name].body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
        }
        unknown = set(exported(name)) - defined - assigned - annotated
        assert not unknown, f"{name} exports what it does not hold: {unknown}"


@pytest.mark.parametrize("name", [name for name in TREES if name.rpartition(".")[0] in NAMED_ROOMS])
def test_an_entry_exports_one_object_named_like_its_file(name):
    names = exported(name)
    assert len(names) == 1, f"{name} exports {names}"
    assert names[0].lower().replace("_", "") == name.rpartition(".")[2].replace("_", "")


@pytest.mark.parametrize(
    "name", [name for name in TREES if "figures" in name.split(".") or name in ("report.svg", "report.rates")]
)
def test_figures_know_neither_pyplot_nor_torch(name):
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found = {alias.name for alias in node.names} | {getattr(node, "module", None) or ""}
            assert not [word for word in found if "pyplot" in word or word.partition(".")[0] == "torch"], name
    assert not [n for n in ast.walk(TREES[name]) if isinstance(n, ast.Attribute) and n.attr == "pyplot"], name


@every_file
def test_no_file_is_named_for_what_has_no_name(name):
    assert not FORBIDDEN & set(name.split("."))


@every_file
def test_one_module_opens_archives_of_arrays(name):
    if name == "data.archive":
        return
    for node in ast.walk(TREES[name]):
        words = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        assert "zipfile" not in [*words, getattr(node, "module", "")], f"{name} opens archives by itself"
        # Decoded pixels may lie in a file without a name, which is nobody's archive.
        opening = {"load", "fromfile", "memmap"} - ({"memmap"} if name == "data.decode" else set())
        loads = isinstance(node, ast.Attribute) and node.attr in opening
        assert not (loads and isinstance(node.value, ast.Name) and node.value.id in ("np", "numpy")), name
