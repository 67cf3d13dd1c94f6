"""What the tutorials show is what their examples do, line by line; the runner that says so notices where it is not."""

import importlib.util
import os
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
PAGES = sorted((DOCS / "tutorials").glob("*.md"))


@pytest.fixture(scope="module")
def make_tutorials():
    spec = importlib.util.spec_from_file_location("make_tutorials", DOCS / "make_tutorials.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_a_tutorial_shows_what_its_examples_print(page, make_tutorials):
    written = page.read_text(encoding="utf-8")
    assert "$ tenfold" in written or ">>> " in written, "a tutorial without an example"
    told = make_tutorials.text(written)
    assert told.splitlines() == written.splitlines(), "write it anew: .venv/bin/python docs/make_tutorials.py"
    assert told == written


PAGE = """# A page

```toml title="net.toml"
sizes = 1
```

```console
$ cat net.toml
sizes = 1
$ tenfold no-such \\
    --command
{told}
```

```python
>>> total = sum(
...     [1, 2]
... )
>>> total
{total}
>>> int("x")
Traceback (most recent call last):
    ...
ValueError: invalid literal for int() with base 10: 'x'
```
"""


def test_the_runner_writes_files_runs_commands_and_keeps_names(make_tutorials):
    page = make_tutorials.text(PAGE.format(told="?", total="?"))
    assert "sizes = 1\n$ tenfold no-such \\\n    --command\ntenfold: no command 'no-such'" in page
    assert ">>> total\n3\n>>> int" in page
    assert make_tutorials.text(page) == page


def test_the_runner_notices_a_line_that_is_wrong(make_tutorials):
    right = make_tutorials.text(PAGE.format(told="?", total="?"))
    for wrong in (right.replace("\n3\n", "\n4\n"), right.replace("tenfold: no command", "tenfold: a command")):
        assert wrong != right
        assert make_tutorials.text(wrong) == right


@pytest.mark.parametrize(
    ("shown", "actual", "expected"),
    [
        ("a … e", "a b c d e", "a … e"),
        ("… c …", "a b c d e", "… c …"),
        ("a … cat … e", "a b cart d e", "a … cart … e"),
        ("a … e", "a b c d f", "a … f"),
        ("a b …", "a b", "a b"),
        ("… b", "x y b", "… b"),
        ("a b", "a c", "a c"),
        ("a …", "", ""),
    ],
)
def test_lines_that_are_left_out_stay_so(make_tutorials, shown, actual, expected):
    assert make_tutorials.fitted(shown.split(), actual.split()) == expected.split()


def test_an_example_runs_tenfold_beside_its_files_and_nothing_else(make_tutorials, tmp_path):
    for page in ("```console\n$ rm -r x\n```", '```toml title="../x"\n```', "```console\nhello\n```"):
        with pytest.raises(ValueError, match=r"example|console"):
            make_tutorials.text(page)


def test_the_folder_and_the_surroundings_are_as_they_were(make_tutorials, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "33")
    monkeypatch.delenv("NO_COLOR", raising=False)
    before = dict(os.environ)
    make_tutorials.text(PAGE)
    assert (dict(os.environ), Path.cwd(), list(tmp_path.iterdir())) == (before, tmp_path, [])
