"""`tenfold trace` as people and machines meet it: text, files, sheets, marks, and one plain line for what is wrong."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from tenfold import cli
from tenfold.cli.commands.trace import CHOICES, FORMATS, command
from tenfold.teach.trace import record as formats
from tenfold.teach.trace.network import KEYS
from tenfold.teach.trace.plaintext import WIDTH
from tenfold.teach.trace.specs import shipped

ONE_LINE = ("1-1-1", "--activations", "relu,relu", "--weights", "0.5", "--biases", "0.5", "--loss", "squared_error",
            "--learning-rate", "0.01", "--samples", "1:3 2:4 3:5")  # fmt: skip


@pytest.fixture
def tenfold(tmp_path, monkeypatch, capsys):
    """`tenfold("trace", …)`: exit code, stdout and stderr, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(cli.COMMANDS, "trace", "worked back-propagation")

    def run(*words):
        with pytest.raises(SystemExit) as end:
            cli.main(["trace", *words])
        return end.value.code, *capsys.readouterr()

    return run


def test_without_a_word_the_hand_worked_example_is_traced(tenfold):
    code, out, err = tenfold()
    assert (code, err) == (0, "")
    assert out.startswith("hand-worked: 1-1-1, relu, relu; loss squared_error; η = 0.01; one sample an update\n")
    assert "\n  28  ŷ = max(0, z₂) = max(0, 1.3156) = 1.3156\n" in out
    assert "\n  34  ∂L/∂w₂ = ∂L/∂z₂ · ∂z₂/∂w₂ = (−2.6844) · 1.53 ≈ −4.10713\n" in out
    assert "\n  21  w₁ ← w₁ − η ∂L/∂w₁ = 0.5 − 0.01 · (−1) = 0.51\n" in out
    assert "checked: 72 lines. Largest error against torch" in out
    assert "judged" not in out
    assert "\x1b" not in out


def test_one_line_is_the_same_network(tenfold):
    _, whole, _ = tenfold("hand-worked")
    code, out, _ = tenfold(*ONE_LINE)
    assert code == 0
    assert out.splitlines()[1:] == whole.splitlines()[1:]


@pytest.mark.parametrize("words", [("--reported",), ("hand-worked", "--reported"), ("--reported", "hand-worked")])
def test_reported_numbers_are_judged_and_slips_are_no_failure(tenfold, words):
    code, out, _ = tenfold(*words)
    assert code == 0
    assert "judged: 41 numbers: 14 exact, 13 rounded, 8 truncated, 4 follow from an earlier rounding, 2 slips" in out
    assert "» 2.13: truncated from 2.13771216; its own printed inputs would give 2.11" in out
    assert "line 46, b₁ = 0.65: slip here, in the update: the value is 0.523959" in out


def test_lines_are_as_wide_as_a_page_whatever_the_network(tenfold):
    words = ("9-9-9", "--activations", "relu,identity", "--weights", "he", "--loss", "softmax",
             "--learning-rate", "0.1", "--samples", ",".join("123456789") + ":4")  # fmt: skip
    code, out, _ = tenfold(*words)
    assert code == 0
    assert max(map(len, out.splitlines())) <= WIDTH
    assert "note: weights drawn by he with seed 0, rounded to 2 digits" in out


@pytest.mark.parametrize(
    ("form", "start"), [("json", "{"), ("latex", "\\documentclass"), ("markdown", "# "), ("text", "hand-worked")]
)
def test_formats_go_to_stdout_or_into_a_file(tenfold, form, start):
    code, out, _ = tenfold("--format", form)
    assert code == 0
    assert out.startswith(start)
    assert tenfold("--format", form, "--out", "there")[0] == 0
    assert Path("there").read_text() == out


def test_a_page_is_a_file_and_nothing_is_overwritten_without_force(tenfold):
    code, out, _ = tenfold("--format", "html")
    assert (code, out) == (0, "written     trace.html\n")
    assert Path("trace.html").read_text().lower().startswith("<!doctype html>")
    Path("trace.html").write_text("mine")
    code, _, err = tenfold("--format", "html")
    assert code == 1
    assert "trace.html: is there already" in err
    assert Path("trace.html").read_text() == "mine"
    assert tenfold("--format", "html", "--force")[0] == 0


def test_a_name_from_outside_cannot_steer_the_terminal(tenfold):
    Path("a\x1b[2J\u202eb.toml").write_text(Path(shipped()["hand-worked"]).read_text())
    code, out, _ = tenfold("a\x1b[2J\u202eb.toml")
    assert code == 0
    assert out.startswith("a[2Jb: 1-1-1")
    assert not {"\x1b", "\u202e"} & set(out)


def test_machines_get_one_object(tenfold):
    code, out, err = tenfold("--reported", "--json")
    found = json.loads(out)
    assert (code, err, out.count("\n")) == (0, "", 1)
    assert (found["format"], found["judged"]["slips"], len(found["lines"])) == (1, [46, 48], 72)
    assert found["lines"][27] == found["lines"][27] | {"key": "2.yhat", "exact": "1.3156", "inputs": ["2.z2"]}
    code, out, _ = tenfold("nope.toml", "--json")
    assert (code, json.loads(out)["error"]["code"]) == (2, 2)


def test_a_sheet_is_written_filled_in_and_marked(tenfold):
    code, out, _ = tenfold("--blank", "8", "--seed", "3")
    assert code == 0
    assert out.endswith("written     sheet.toml\nanswers     sheet-key.toml\n")
    assert "= ① ____" in out
    text = Path("sheet.toml").read_text()
    answers = {gap["key"]: gap["answer"] for gap in tomllib.loads(Path("sheet-key.toml").read_text())["gaps"]}
    assert len(answers) == 8
    code, _, err = tenfold("--blank", "8", "--seed", "3")
    assert (code, "sheet.toml: is there already" in err) == (1, True)
    code, out, err = tenfold("--mark", "sheet.toml")
    assert (code, out) == (2, "")
    assert err.startswith("tenfold: sheet.toml: no gap is filled in")
    key = next(key for key in answers if key.endswith(".w2"))
    head, _, tail = text.partition(f'key = "{key}"')
    Path("sheet.toml").write_text(head + f'key = "{key}"' + tail.replace('answer = ""', 'answer = "2.5"', 1))
    code, out, _ = tenfold("--mark", "sheet.toml")
    assert code == 0
    assert "judged: 1 number: 1 slip\n" in out
    assert "note: 7 of 8 gaps not filled in" in out
    assert len(set(re.findall("[①-⑧] ____", out))) == 7
    assert "slip here, in the update" in out
    code, out, _ = tenfold("--mark", "sheet-key.toml", "--json")
    assert json.loads(out)["judged"]["right"] == 8


@pytest.mark.parametrize(
    ("form", "suffix"), [("html", ".html"), ("latex", ".tex"), ("markdown", ".md"), ("json", ".json")]
)
def test_a_sheet_in_another_format_does_not_hold_its_answers(tenfold, form, suffix):
    words = ("1-1", "--activations", "tanh", "--weights", "0.7331", "--biases", "0.1", "--loss", "squared_error",
             "--learning-rate", "0.1", "--samples", "1.7:0.3", "--blank", "4", "--out", "hw.toml")  # fmt: skip
    code, _, _ = tenfold(*words, "--format", form)
    assert code == 0
    page = Path(f"hw{suffix}").read_text()
    gaps = tomllib.loads(Path("hw-key.toml").read_text())["gaps"]
    assert form == "latex" or "①" in page
    for gap in gaps:
        assert gap["answer"] not in page
        assert gap["answer"].replace("−", "-") not in page
        assert gap["answer"] not in Path("hw.toml").read_text()


@pytest.mark.parametrize(("form", "suffix"), [("html", ".html"), ("json", ".json"), ("markdown", ".MD")])
def test_a_sheet_never_shares_its_file_with_the_page(tenfold, form, suffix):
    code, out, _ = tenfold("--blank", "4", "--seed", "3", "--format", form, "--out", f"s{suffix}")
    assert code == 0
    assert out == f"written     s.toml\nanswers     s-key.toml\nshown in    s{suffix}\n"
    assert len(tomllib.loads(Path("s.toml").read_text())["gaps"]) == 4
    assert Path(f"s{suffix}").read_text()[0] in "<{#"


def test_options_and_formats_are_those_of_what_they_stand_for():
    assert list(CHOICES) == list(KEYS)[1:]
    assert set(FORMATS) == set(formats.FORMATS)
    assert {choice.replace("_", "-") for choice in CHOICES} <= {own.name.replace("_", "-") for own in command.params}


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("1-1-1",), 2, "activations is missing"),
        ((*ONE_LINE, "--weights", "abc"), 2, "weights 'abc' is neither a number nor an initializer"),
        ((*ONE_LINE, "--weights", "1e50", "--activations", "identity,identity", "--updates", "9"), 1, "is too large"),
        ((*ONE_LINE, "--updates", "900"), 2, "21,600 lines"),
        ((*ONE_LINE, "--reported"), 2, "network: holds no [[reported]] numbers"),
        ((*ONE_LINE, "--reported", "nope"), 2, "'nope' is no file"),
        (("hand-work",), 2, "did you mean 'hand-worked'"),
        (("--blank", "5", "--reported"), 2, "give one of the two"),
        (("--mark", "sheet.toml", "--seed", "3"), 2, "--mark SHEET takes no network"),
        (("--mark", "sheet.toml"), 2, "sheet.toml: no such file"),
        (("--mark", ""), 2, "--mark takes the file"),
        (("--force",), 2, "--force replaces a file"),
        (("--blank", "3", "--out", "."), 1, ".: is a folder"),
        (("--out", "nowhere/x.txt"), 1, "nowhere/x.txt: cannot be written"),
        (("--out", "."), 1, "is a folder"),
        (("--format", "pdf"), 2, "'pdf' is not one of"),
        (("--blanc", "3"), 2, "did you mean '--blank'"),
    ],
)
def test_what_is_wrong_is_said_in_one_plain_line(tenfold, words, code, told):
    found, out, err = tenfold(*words)
    assert (found, out) == (code, "")
    assert err.startswith("tenfold: ")
    assert err.count("\n") == 1
    assert told in err
