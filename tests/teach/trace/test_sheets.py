"""Practice sheets: what is hidden stays hidden, a filled sheet is marked from itself alone."""

import json
import tomllib

import pytest

from tenfold.errors import UsageError
from tenfold.report.judge import EARLIER_SLIP, SLIP
from tenfold.teach.trace.api import trace
from tenfold.teach.trace.sheets import answers_text, blanked, marked, sheet_text
from tenfold.teach.trace.webpage import page

SOFTMAX = {"activations": "relu,identity", "weights": "he", "seed": 2, "loss": "softmax", "learning_rate": "0.1",
           "samples": "1,-2:2 0.5,1/3:0", "batch": True}  # fmt: skip


@pytest.fixture
def sheet(tmp_path):
    """`sheet(trace, {key: answer})`: the path of a sheet that was filled in."""

    def fill(worked, answers, given=None):
        path = tmp_path / "sheet.toml"
        text = given or sheet_text(worked)
        for key, answer in answers.items():
            head, _, tail = text.partition(f'key = "{key}"')
            text = f'{head}key = "{key}"' + tail.replace('answer = ""', f'answer = "{answer}"', 1)
        path.write_text(text)
        return path

    return fill


def test_a_seed_hides_the_same_numbers_and_no_trivial_ones():
    worked = trace("hand-worked")
    first, again, other = blanked(worked, 8, 3), blanked(worked, 8, 3), blanked(worked, 8, 4)
    assert first.gaps == again.gaps != other.gaps
    assert sorted(set(first.gaps.values())) == list(range(1, 9))
    lines = {line.key: line for line in worked.lines}
    keys = [gap["key"] for gap in tomllib.loads(sheet_text(first))["gaps"]]
    assert len(keys) == 8
    assert all(lines[key].rule != "local derivative" or lines[key].inputs for key in keys)


def test_hidden_numbers_are_nowhere_in_what_is_given_out():
    worked = blanked(trace("hand-worked"), 12, 1)
    found = worked.as_json()
    for line in found["lines"]:
        if line["key"] in worked.gaps:
            assert (line["value"], line["shown"], line["exact"], line["numbers"]) == (None, None, None, None)
            assert line["errors"] == {"autograd": None, "difference": None}
    hidden = next(line for line in worked.lines if line.key == next(iter(worked.gaps)))
    takers = [line for line in found["lines"] if hidden.key in line["inputs"] and line["gap"] is None]
    assert all("①" in line["numbers"]["text"] for line in takers if worked.gaps[hidden.key] == 1)


def test_a_number_that_is_only_handed_on_is_hidden_with_it():
    worked = trace("hand-worked")
    for seed in range(20):
        gaps = blanked(worked, 10, seed).gaps
        for line in worked.lines:
            for key in line.inputs:
                if key in gaps and line.value == worked.ledger.values[key]:
                    assert line.key in gaps, f"seed {seed}: {line.key} gives {key} away"


@pytest.mark.parametrize("count", [0, -1, 1000])
def test_more_gaps_than_there_are_numbers_are_refused(count):
    with pytest.raises(UsageError, match="numbers that can be hidden"):
        blanked(trace("hand-worked"), count, 0)


@pytest.mark.parametrize(("spec", "choices"), [("hand-worked", {}), ("2-2-3", SOFTMAX)])
def test_the_answer_key_marks_as_all_right(sheet, spec, choices):
    worked = blanked(trace(spec, **choices), 9, 5)
    found = marked(sheet(worked, {}, answers_text(worked)))
    assert found.network.weights == worked.network.weights
    assert found.network.samples == worked.network.samples
    assert found.as_json()["judged"]["right"] == 9
    assert SLIP not in [judgment.verdict for judgment in found.judgments]


def test_answers_are_marked_by_rule_and_follow_from_earlier_ones(sheet):
    worked = trace("hand-worked")
    worked = worked.__class__(worked.network, worked.ledger, worked.checks,
                              gaps={"2.h1": 1, "2.dyhat": 2, "2.dw2": 3, "2.w2": 4, "3.z1": 5})  # fmt: skip
    path = sheet(worked, {"2.h1": "1.5", "2.dyhat": "2.6844", "2.dw2": "4.11", "2.w2": "0.479"})
    found = marked(path)
    told = {judgment.about: (judgment.verdict, judgment.sentence, judgment.note) for judgment in found.judgments}
    assert told["2.h1"][0] == "rounded"
    assert told["2.dyhat"][0] == SLIP
    assert "in the local derivative" in told["2.dyhat"][1]
    assert "y − ŷ, the wrong way round" in told["2.dyhat"][1]
    assert told["2.dw2"][0] == told["2.w2"][0] == EARLIER_SLIP
    assert told["2.dw2"][2] == "gap 3"
    assert found.notes == ("1 of 5 gaps not filled in",)


def test_answers_from_the_rounded_numbers_of_the_sheet_are_no_slips(sheet):
    worked = trace("hand-worked")
    worked = worked.__class__(worked.network, worked.ledger, worked.checks, gaps={"3.z1": 1})
    # The sheet shows w₁ = 0.537918 and b₁ = 0.523959: 0.537918 · 3 + 0.523959 is 2.137713, the value 2.13771216.
    found = marked(sheet(worked, {"3.z1": "2.137713"}))
    assert [judgment.verdict for judgment in found.judgments] == ["follows from an earlier rounding"]
    assert "as the sheet shows them" in found.judgments[0].sentence


def trace_of(path, key):
    return next(judgment.sentence for judgment in marked(path).judgments if judgment.about == key)


def test_numbers_as_small_as_a_float_can_be_are_marked_too(sheet):
    worked = trace("1-1", activations="sigmoid", weights="-200", biases=0, loss="squared_error", learning_rate=1,
                   samples="1:1")  # fmt: skip
    found = marked(sheet(worked, {}, answers_text(blanked(worked, 3, 1))))
    assert {judgment.verdict for judgment in found.judgments} <= {"exact", "rounded"}
    assert "e−87" in str(found)
    assert page(found.display)


def gapped(gaps):
    worked = trace("hand-worked")
    return worked.__class__(worked.network, worked.ledger, worked.checks, gaps=gaps)


def test_an_answer_of_0_tells_no_digit_of_a_number_that_is_not_0(sheet):
    path = sheet(gapped({"2.w2": 1, "3.z1": 2, "3.yhat": 3}), {"2.w2": "0", "3.z1": "0.0", "3.yhat": "2"})
    verdicts = {
        judgment.about: (judgment.verdict, "comes out" in judgment.sentence) for judgment in marked(path).judgments
    }
    assert verdicts == {"2.w2": (SLIP, False), "3.z1": (SLIP, False), "3.yhat": ("rounded", False)}
    assert "0 tells no digit of it" in trace_of(path, "2.w2")
    # A ReLU that is off gives a 0 that is right.
    dead = trace("1-1-1", activations="relu,relu", weights="0.5", biases="-2 0.5", loss="squared_error",
                 learning_rate="0.1", samples="1:3")  # fmt: skip
    dead = dead.__class__(dead.network, dead.ledger, dead.checks, gaps={"1.dz1": 1})
    assert [judgment.verdict for judgment in marked(sheet(dead, {"1.dz1": "0"})).judgments] == ["exact"]


def test_what_is_not_answered_stays_hidden_and_an_empty_sheet_is_refused(sheet):
    worked = blanked(trace("hand-worked"), 8, 3)
    first = next(key for key, gap in worked.gaps.items() if gap == 5)
    found = marked(sheet(worked, {first: "7.7"}))
    assert found.gaps == {key: gap for key, gap in worked.gaps.items() if gap != 5}
    assert [line["gap"] for line in found.as_json()["lines"] if line["key"] == first] == [None]
    assert "= ① ____" in str(found)
    with pytest.raises(UsageError, match="no gap is filled in"):
        marked(sheet(worked, {}))


def test_a_gap_that_stands_there_twice_is_refused(sheet):
    worked = blanked(trace("hand-worked"), 2, 3)
    twice = answers_text(worked)
    twice += twice[twice.index("[[gaps]]") :]
    with pytest.raises(UsageError, match=r"gap 3: .* stands there twice"):
        marked(sheet(worked, {}, twice))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('answer = ""', 'answer = "abc"'), "gap 1: .*'abc' is not a number"),
        (('answer = ""', "answer = true"), "gap 1: answer is no number"),
        (("[[gaps]]", "[[gasp]]"), "unknown key 'gasp': did you mean 'gaps'"),
        (("[network]", "[net]"), "unknown key 'net'"),
        (("key = ", "kay = "), "gap 1: expected gap, key, formula, answer"),
        (("sizes = [1, 1, 1]", "sizes = [1, 1]"), "activations: 2 given"),
        (('key = "', 'key = "9'), "no line has the key|not a number"),
    ],
)
def test_sheets_that_cannot_be_read_are_refused_by_name(sheet, change, told):
    worked = blanked(trace("hand-worked"), 3, 0)
    path = sheet(worked, {}, sheet_text(worked).replace(*change).replace('answer = ""', 'answer = "1"'))
    with pytest.raises(UsageError, match=told) as error:
        marked(path)
    assert str(error.value).startswith(str(path))


def test_a_hostile_name_stays_inside_its_comment_and_quotes(sheet, tmp_path):
    source = tmp_path / 'a"]\n[x]\u202e.toml'
    source.write_text(
        'sizes = [1, 1]\nactivations = ["identity"]\nweights = 2\nbiases = 0\nloss = "squared_error"\n'
        "learning_rate = 0.1\nsamples = [[3, 5]]\n"
    )
    worked = blanked(trace(source), 2, 0)
    read = tomllib.loads(sheet_text(worked))
    assert set(read) == {"network", "gaps"}
    assert json.dumps(worked.as_json())
    assert marked(sheet(worked, {}, answers_text(worked))).network.name == worked.network.name.replace(
        "\n", ""
    ).replace("\u202e", "")
