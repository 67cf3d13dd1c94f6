"""What the documents say of the code is so: the map, the public names, the help, the quotes, the links."""

import doctest
import importlib.util
import re
import textwrap
from pathlib import Path

import pytest

import tenfold

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "tenfold"
DOCS = ROOT / "docs"
README = ROOT / "README.md"
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
# A line of the map: two spaces, names, at least two spaces, what they are for.
ROOM = re.compile(r"  (\S+(?: \S+)*) {2,}(\S.*)")
# Where the repository's own files lie; a user's runs and environments may lie beside them.
PLACES = (".ci", "benchmarks", "docs", "src", "tests")
PRIVATE = re.compile(
    r"(?<![\w.~-])/(?:work|root)/|pypi\.org|pythonhosted\.org|download\.pytorch\.org|anaconda\.org|npmjs\.(?:com|org)"
)
DOCUMENTS = [README, ROOT / "CHANGELOG.md", ROOT / "benchmarks" / "README.md", *sorted(DOCS.rglob("*.md"))]
every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def read(path):
    return path.read_text(encoding="utf-8")


# The map of the tree in the README


def room_lines():
    """Names and description of each line of the map."""
    blocks = [block.splitlines()[1:-1] for block in FENCE.findall(read(README))]
    maps = [block[1:] for block in blocks if block and block[0] == "src/tenfold/"]
    assert len(maps) == 1, "README.md needs one fenced block whose first line is src/tenfold/"
    for line in maps[0]:
        match = ROOM.fullmatch(line)
        assert match, f"not two spaces, names, two spaces, a description: {line!r}"
        yield match[1].split(), match[2]


def modules_and_rooms():
    """Names of the package's modules, and of its folders with a "/"; empty folders are none."""
    for path in PACKAGE.iterdir():
        if path.suffix == ".py":
            yield path.name
        elif path.name != "__pycache__" and any(file.suffix in (".py", ".toml") for file in path.glob("*")):
            yield f"{path.name}/"


def test_the_map_names_every_module_and_room_once():
    there, named = set(modules_and_rooms()), [name for names, _ in room_lines() for name in names]
    assert set(named) == there
    assert sorted(named) == sorted(there), "on the map twice"


def test_the_map_has_one_line_for_each_room():
    for names, _ in room_lines():
        assert len(names) == 1 or not any(name.endswith("/") for name in names), f"a line for each folder: {names}"


# Public names


def test_public_names_are_few():
    assert len(tenfold.__all__) <= 30
    assert tenfold.__all__ == sorted(set(tenfold.__all__))


@pytest.mark.parametrize("name", tenfold.__all__)
def test_public_name_imports_and_says_what_it_is(name):
    found = getattr(tenfold, name)
    assert (found.__doc__ or "").strip()
    assert "(" not in found.__doc__.splitlines()[0][: len(name) + 1], f"{name} has only the docstring that is generated"


# Help


def test_the_command_line_is_documented_as_it_is():
    spec = importlib.util.spec_from_file_location("make_cli", DOCS / "make_cli.py")
    make_cli = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_cli)
    assert read(DOCS / "cli.md") == make_cli.text(), "regenerate it: .venv/bin/python docs/make_cli.py"


# The tour

SECTION = re.compile(r"^## .*\]\(\.\./src/tenfold/([\w/]+\.py)\).*$", re.MULTILINE)
QUOTE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def quotes():
    """File and text of every quote, in the section whose heading links to that file."""
    _, *pieces = SECTION.split(read(DOCS / "tour.md"))
    for file, section in zip(pieces[::2], pieces[1::2], strict=True):
        for quote in QUOTE.findall(section.partition("\n## ")[0]):
            yield pytest.param(file, quote, id=f"{file}: {quote.strip().splitlines()[0]}")


@pytest.mark.parametrize(("file", "quote"), list(quotes()))
def test_quotes_of_the_tour_are_in_the_source(file, quote):
    source = f"\n{read(PACKAGE / file)}"
    assert any(f"\n{textwrap.indent(quote, ' ' * depth)}" in source for depth in (0, 4, 8, 12)), (
        "no longer in the source"
    )


def test_the_tour_is_six_files_long_at_most_and_quotes_all_of_them():
    files = SECTION.findall(read(DOCS / "tour.md"))
    assert 1 < len(files) <= 6
    assert {param.values[0] for param in quotes()} == set(files)
    inside = sum(len(QUOTE.findall(block)) for block in FENCE.findall(read(DOCS / "tour.md")))
    assert len(list(quotes())) == inside, "a quote stands in no file's section"


def test_examples_of_the_tour_run():
    assert doctest.testfile(str(DOCS / "tour.md"), module_relative=False, encoding="utf-8").failed == 0


# All documents


def test_tests_that_the_contracts_name_exist():
    defined = set(re.findall(r"^def (test_\w+)", "\n".join(map(read, (ROOT / "tests").rglob("*.py"))), re.MULTILINE))
    files = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    named = {word for document in DOCUMENTS for word in re.findall(r"\btest_\w+", read(document))}
    assert not named - defined - files


@every_document
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", read(document))):
        if not re.match(r"[a-z]+:|#", target):
            assert (document.parent / target.partition("#")[0]).exists(), f"{target} leads nowhere"


def test_no_file_knows_a_developers_machine_or_a_registry():
    files = [path for place in PLACES for path in (ROOT / place).rglob("*") if "__pycache__" not in path.parts]
    files += [path for path in ROOT.iterdir() if path.suffix or path.name in ("Makefile", "LICENSE", ".gitignore")]
    for path in files:
        if path.is_file():
            found = PRIVATE.search(path.read_text(encoding="utf-8", errors="replace"))
            assert not found, f"{path.relative_to(ROOT)}: {found[0]}"
