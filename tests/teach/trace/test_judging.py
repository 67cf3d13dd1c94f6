"""Reported numbers: the hand-worked example to its last digit, mistakes with their causes, students who round."""

import random
from collections import ChainMap
from fractions import Fraction

import pytest

from tenfold.errors import UsageError
from tenfold.report.judge import EARLIER_ROUNDING, EARLIER_SLIP, RENDERED, SLIP
from tenfold.report.printed import exactly
from tenfold.teach.trace.api import trace
from tenfold.teach.trace.causes import variants
from tenfold.teach.trace.court import ReportedNumber, judge
from tenfold.teach.trace.expressions import evaluate, settled
from tenfold.teach.trace.network import network_of
from tenfold.teach.trace.specs import entries_of, resolved_key
from tenfold.teach.trace.unrolling import unrolled

HAND = {"activations": "relu,relu", "weights": 0.5, "biases": 0.5, "loss": "squared_error", "learning_rate": 0.01,
        "samples": "1:3 2:4 3:5"}  # fmt: skip
TANH = {"activations": "tanh,identity", "weights": "0.3,0.7;-0.4,0.2 0.6,-0.5", "biases": "0.1,-0.2 0.3",
        "loss": "squared_error", "learning_rate": 0.1, "samples": "1,2:3 -1,1:0"}  # fmt: skip
SOFTMAX = {"activations": "identity", "weights": [[["0.2"], ["-0.4"], ["0.1"]]], "biases": [["0.1", "0.3", "0"]],
           "loss": "softmax", "learning_rate": 0.5, "samples": "2:1 1:0", "batch": True}  # fmt: skip


def judged(sizes, choices, reported):
    return {judgment.about: judgment for judgment in trace(sizes, **choices, reported=reported).judgments}


def judged_list(sizes, choices, reported):
    return trace(sizes, **choices, reported=reported).judgments


def test_the_hand_worked_example_is_judged_to_its_last_number():
    worked = trace("hand-worked", reported="")
    found = [(judgment.about, judgment.printed, judgment.verdict) for judgment in worked.judgments]
    assert len(found) == 41
    assert {verdict for key, _, verdict in found if key.startswith("1.")} == {"exact"}
    special = {
        ("2.yhat", "1.31"): "truncated",
        ("2.L", "3.6"): "rounded",
        ("2.dyhat", "−2.69"): EARLIER_ROUNDING,
        ("2.db2", "−2.69"): EARLIER_ROUNDING,
        ("2.w1", "0.53"): "truncated",
        ("2.b1", "0.65"): SLIP,
        ("2.b1", "0.52"): "rounded",
        ("2.b2", "0.54"): "truncated",
        ("2.b2", "0.59"): SLIP,
        ("3.h1", "2.13"): "truncated",
        ("3.L", "5.4"): EARLIER_ROUNDING,
        ("3.dw2", "−6.9"): "truncated",
        ("3.dw1", "−5.46"): EARLIER_ROUNDING,
        ("3.w1", "0.59"): "rounded",
        ("3.b2", "0.57"): "truncated",
    }
    verdicts = {(key, printed): verdict for key, printed, verdict in found}
    assert {key: verdicts[key] for key in special} == special
    assert [key for key, _, verdict in found if verdict == SLIP] == ["2.b1", "2.b2"]
    assert worked.as_json()["judged"]["slips"] == [46, 48]
    told = {(judgment.about, judgment.printed): judgment.sentence for judgment in worked.judgments}
    assert "its own printed inputs would give 2.11" in told["3.h1", "2.13"]
    assert "0.65 comes out with a step ten times too large" in told["2.b1", "0.65"]
    assert "printed as 0.52 elsewhere" in told["2.b1", "0.65"]
    assert "one digit apart from 0.54" in told["2.b2", "0.59"]
    assert told["2.dyhat", "−2.69"] == "follows from an earlier rounding: ŷ printed as 1.31; the value is −2.6844"
    assert told["2.yhat", "1.31"] == "truncated from 1.3156"


@pytest.mark.parametrize(
    ("sizes", "choices", "key", "printed", "cause"),
    [
        ("1-1-1", HAND, "2.z1", "1.02", "without the bias b₁"),
        ("1-1-1", HAND, "2.z1", "0.51", "with the bias b₁ taken away"),
        ("1-1-1", HAND, "2.z1", "1.50", "with all parameters from before the last update"),
        ("2-2-1", TANH, "1.z1[1]", "1.5", "without the term w₁[1,1] x₁"),
        ("2-2-1", TANH, "1.h1[1]", "1.8", "without the activation"),
        ("2-2-1", TANH, "1.h1[1]", "0.8581", "with the sigmoid as the activation"),
        ("1-1-1", HAND, "2.L", "7.206", "without the ½"),
        ("1-1-1", HAND, "2.L", "-1.3422", "without the square"),
        ("1-1-1", HAND, "2.dyhat", "2.6844", "from y − ŷ, the wrong way round"),
        ("1-1-1", HAND, "2.dyhat", "-5.3688", "with a factor 2, as if the loss had no ½"),
        ("2-2-1", TANH, "1.dh1[1]_dz1[1]", "0.0532", "without the square"),
        ("1-1-1", HAND, "2.dw2", "-2.6844", "without the factor ∂z₂/∂w₂"),
        ("1-1-1", HAND, "2.dh1", "0.52", "without the factor ∂L/∂z₂"),
        ("1-1-1", HAND, "2.dh1", "-1.5061", "in ∂z₂/∂h₁ with w₂ after this update already"),
        ("2-2-1", TANH, "1.dw1[1,2]", "-2.4399", "in ∂L/∂z₁[1] without the factor ∂h₁[1]/∂z₁[1]"),
        ("1-1-1", HAND, "2.w2", "4.6271", "without η"),
        ("1-1-1", HAND, "2.w2", "0.4789", "with + in place of −: uphill"),
        ("1-1-1", HAND, "2.w2", "0.9307", "a decimal point"),
        ("1-1-1", HAND, "2.w2", "0.5468", "with ∂L/∂b₂ in place of ∂L/∂w₂"),
        ("1-1-1", HAND, "2.w2", "0.0411", "as the step alone, without the old value"),
        ("1-3", SOFTMAX, "1.s1.L", "-1.7461", "without the minus"),
        ("1-3", SOFTMAX, "1.s1.L", "0.7583", "with log₁₀ in place of ln"),
        ("1-3", SOFTMAX, "1.s1.dz1[2]", "0.1745", "without the − 1"),
        ("1-3", SOFTMAX, "1.s1.p[1]", "1.6487", "without the division by the sum"),
        ("1-3", SOFTMAX, "1.L", "2.6580", "the sum, not the mean"),
        ("1-1-1", HAND, "2.yhat", "1.3516", "1.3516 is 1.3156 with two digits transposed"),
        ("1-1-1", HAND, "2.yhat", "1.3159", "1.3159 is one digit apart from 1.3156"),
    ],
)
def test_a_slip_names_its_cause(sizes, choices, key, printed, cause):
    found = judged(sizes, choices, {key: printed})[key]
    assert found.verdict == SLIP, found.sentence
    assert cause in found.sentence


def test_what_hangs_on_a_slip_follows_and_says_from_which():
    found = judged("1-1-1", HAND, {"1.dyhat": "2", "1.dw2": "2", "1.w2": "0.48", "2.yhat": "1.25", "2.dw1": "9"})
    assert [found[key].verdict for key in ("1.dyhat", "1.dw2", "1.w2", "2.dw1")] == [
        SLIP,
        EARLIER_SLIP,
        EARLIER_SLIP,
        SLIP,
    ]
    assert "∂L/∂ŷ printed as 2" in found["1.dw2"].sentence
    # ŷ = 0.48 · 1.53 + 0.52 = 1.2544 from the printed w₂ alone.
    assert (
        "w₂ of update 1 printed as 0.48"
        in judged("1-1-1", HAND, {"1.w2": "0.48", "2.yhat": "1.2544"})["2.yhat"].sentence
    )


@pytest.mark.parametrize(
    ("key", "printed", "rule"),
    [
        ("1.h1", "0.5", "in the forward sum: the value is 1; 0.5 comes out in z₁ without the bias b₁"),
        ("2.dh1", "-1.5061", "in the local derivative:"),
        ("2.yhat", "77", "in the activation or on the way to it: the value is 1.3156"),
    ],
)
def test_the_rule_of_a_slip_is_that_of_the_line_it_was_made_in(key, printed, rule):
    assert f"{SLIP}, {rule}" in judged("1-1-1", HAND, {key: printed})[key].sentence


def test_a_turned_sign_is_no_other_mistake_that_happens_to_come_near():
    # From the printed w₂ a step uphill gives −0.561, too.
    found = judged("1-1-1", HAND, {"1.w2": "-0.52", "2.dw2": "-4.107", "2.w2": "-0.561"})["2.w2"]
    assert "−0.561 comes out with the sign turned round" in found.sentence
    # w₁ is 1.001: uphill would be −0.999, which −1.0 renders as well as −1.001.
    line = HAND | {"activations": "identity", "weights": "0.001", "biases": 0, "learning_rate": "0.1",
                   "samples": "1:10.001"}  # fmt: skip
    assert "−1.0 comes out with the sign turned round" in judged("1-1", line, {"1.w1": "-1.0"})["1.w1"].sentence


def test_one_digit_is_no_proof_of_a_cause():
    assert "comes out" not in judged("1-1-1", HAND, {"2.L": "7"})["2.L"].sentence  # 7.206 without the ½
    assert "comes out" not in judged("1-1-1", HAND, {"1.dz1": "0"})["1.dz1"].sentence  # −1 + 1
    assert "without the ½" in judged("1-1-1", HAND, {"2.L": "7.2"})["2.L"].sentence
    assert "without the ½" in judged("1-1-1", HAND, {"1.L": "4"})["1.L"].sentence  # 4 exactly


def test_of_two_explanations_the_more_faithful_is_taken():
    # ŷ = 0.5 h₁ + 0.5 is 1.75 exactly from h₁ = 2.5, and 1.745 rounded from h₁ = 2.49.
    found = judged_list("1-1-1", HAND, {"1.h1": ["2.49", "2.5"], "1.yhat": "1.75"})[-1]
    assert found.sentence.startswith(f"{EARLIER_SLIP}: h₁ printed as 2.5;")


def test_the_explanation_with_the_fewest_replaced_inputs_is_taken():
    found = judged("1-1-1", HAND, {"2.w1": "0.53", "2.b1": "0.7", "3.h1": "2.114"})
    assert found["2.b1"].verdict == SLIP
    assert found["3.h1"].sentence.startswith("follows from an earlier rounding: w₁ of update 2 printed as 0.53;")


def test_either_of_two_printings_may_be_followed():
    for printed, verdict in (("2.24", EARLIER_SLIP), ("2.11", EARLIER_ROUNDING)):
        reported = {"2.w1": "0.53", "2.b1": ["0.65", "0.52"], "3.h1": printed}
        judgments = trace("1-1-1", **HAND, reported=reported).judgments
        assert [judgment.verdict for judgment in judgments] == ["truncated", SLIP, "rounded", verdict]


def test_unrounded_numbers_may_be_carried_on():
    thirds = HAND | {"activations": "identity,identity", "weights": "1/3", "biases": "1/7", "samples": "1:0"}
    # Without its bias h₁ is 1/3: that, and not the printed 0.33, gives ŷ = 1/9 + 1/7 = 0.25397 as 0.254.
    found = judged("1-1-1", thirds, {"1.h1": "0.33", "1.yhat": "0.254"})
    assert "without the bias b₁" in found["1.h1"].sentence
    assert found["1.yhat"].sentence.startswith(f"{EARLIER_SLIP}: h₁ before it was printed as 0.33;")
    # 0.25 follows from either; what comes after it shows that the calculator's memory was used.
    found = judged("1-1-1", thirds, {"1.h1": "0.33", "1.yhat": "0.25", "1.dyhat": "0.25397"})
    assert [judgment.verdict for judgment in found.values()] == [SLIP, EARLIER_SLIP, EARLIER_SLIP]


def rounded(value, digits):
    scaled = round(Fraction(value) * 10**digits)
    return f"{'-' if scaled < 0 else ''}{abs(scaled) // 10**digits}.{abs(scaled) % 10**digits:0{digits}d}"


def student(ledger, dice, share, digits, printed_on, slip):
    """Entries of somebody who works everything out, rounds what is written down, and makes one mistake at most."""
    mine, entries, lines = ChainMap({}, ledger.values), [], {line.key: line for line in ledger.lines}
    for line in ledger.lines:
        formula = line.formula
        if line.key == slip:
            formula = dice.choice([own for _, own in variants(line, lines, ledger.values)])
        value = settled(evaluate(formula, mine))
        if line.key == slip or dice.random() < share:
            entries.append(ReportedNumber(line.key, rounded(value, digits)))
            value = exactly(entries[-1].printed) if printed_on else value
        mine[line.key] = value
    return entries


@pytest.mark.parametrize("seed", range(24))
def test_students_who_round_make_no_slip_and_one_who_slips_makes_one(seed):
    dice = random.Random(seed)
    activations = f"{dice.choice(['relu', 'tanh', 'sigmoid'])},identity"
    choices = TANH | {"activations": activations, "weights": "xavier", "biases": "normal", "seed": seed}
    ledger = unrolled(network_of({"sizes": "2-2-1", **choices}, "student"))
    slip = dice.choice([line.key for line in ledger.lines if line.stage == "chain"]) if seed % 2 else ""
    entries = student(ledger, dice, dice.choice([0.2, 1]), dice.choice([2, 3]), dice.random() < 0.5, slip)
    slips = [judgment.about for judgment in judge(ledger, entries) if judgment.verdict == SLIP]
    fine = next((j.verdict for j in judge(ledger, entries) if j.about == slip), "exact")
    assert slips == ([] if fine in RENDERED else [slip])


def test_reported_numbers_are_found_however_their_keys_are_spelled():
    keys = {"1.dw2", "1.yhat", "1.dh1_dz1", "1.dw2[1,2]"}
    spelled = {"dw2": "1.dw2", "∂L/∂w₂": "1.dw2", "dL/dw2": "1.dw2", "ŷ": "1.yhat", "∂h₁/∂z₁": "1.dh1_dz1",
               "dh1/dz1": "1.dh1_dz1", "dw2[1,2]": "1.dw2[1,2]", "yhat[1]": "1.yhat"}  # fmt: skip
    assert {word: resolved_key(word, keys, "1.") for word in spelled} == spelled
    with pytest.raises(UsageError, match="did you mean 'yhat'"):
        resolved_key("yhatt", keys, "1.")


@pytest.mark.parametrize(
    ("reported", "told"),
    [
        ([{"h1": "1"}], "reported 1: update is missing"),
        ([{"update": 4, "h1": "1"}], "update is 4: expected a whole number from 1 to 3"),
        ([{"update": 1, "h2": "1"}], "no line has the key 'h2' in update 1"),
        ([{"update": 1, "h1": "one"}], "h1: 'one' is not a number"),
        ([{"update": 1, "h1": True}], "is no number"),
        ([{"update": 1, "h1": {"print": "1"}}], "expected printed"),
        ([{"update": 1, "where": 3}], "where is no text"),
        ("x", "no file"),
        ([3], r"expected \[\[reported\]\] tables"),
        ({"9.h1": "1"}, "no line has the key '9.h1'"),
    ],
)
def test_reports_that_cannot_be_read_are_refused_in_one_line(reported, told):
    with pytest.raises(UsageError, match=told) as error:
        trace("1-1-1", **HAND, reported=reported)
    assert "\n" not in str(error.value)


def test_floats_and_notes_of_a_file_are_kept_as_written():
    ledger = unrolled(network_of({"sizes": "1-1-1", **HAND}, "x"))
    table = {"update": 2, "where": "page 2", "h1": "1.530", "L": [{"printed": "3.6", "where": "margin"}, "3.60"]}
    assert entries_of([table], ledger) == (
        ReportedNumber("2.h1", "1.530", "page 2"),
        ReportedNumber("2.L", "3.6", "margin"),
        ReportedNumber("2.L", "3.60", "page 2"),
    )
