"""A record is written once, under its own keys, and read back as the same record."""

import json
import math
from pathlib import Path

import pytest

from tenfold.errors import FileError
from tenfold.files import as_json, from_json
from tenfold.reproduce.records import ClaimResult, Explanation, TrialRecord, WayResult, metric_of
from tenfold.runs.result import Failure

NUMBERS = {"loss": 0.5, "accuracy": 0.9, "recall": [0.8, 1.0]}
TRIAL = TrialRecord(
    run="plain",
    key="a key",
    seed=1,
    moments={"last": {"test": NUMBERS, "validation": None}},
    failed=Failure(3, "hidden1", "output"),
    shares={"test": [0.5, 0.5]},
    images={"test": 10},
    steps=4,
    curves={"step": [1.0, None]},
    seconds=0.25,
)
WAY = WayResult("one epoch", "length", False, 0.3, -0.1, True)
EXPLANATION = Explanation("a digest", "45.59", "%", None, "A sentence.", "", (WAY,), ())


PATH = Path("record.json")


def stored(record):
    return json.loads(json.dumps(as_json(record), allow_nan=False))


def test_records_are_read_back_as_they_were():
    assert from_json(TrialRecord, stored(TRIAL), PATH) == TRIAL
    assert from_json(Explanation, stored(EXPLANATION), PATH) == EXPLANATION


def test_a_record_of_other_versions_has_more_or_fewer_keys():
    content = stored(TRIAL)
    assert from_json(TrialRecord, {**content, "more": 1}, PATH) == TRIAL
    del content["steps"]
    assert from_json(TrialRecord, content, PATH).steps == 0


@pytest.mark.parametrize("missing", ["cause", "ways", "sentence"])
def test_an_explanation_that_lacks_something_is_none(missing):
    content = stored(EXPLANATION)
    del content[missing]
    with pytest.raises(FileError, match=rf"record\.json: damaged \({missing}"):
        from_json(Explanation, content, PATH)


def test_what_is_not_finite_is_null_and_the_keys_are_those_of_the_files():
    claim = ClaimResult("text", math.inf, (math.nan, 1.0), None, "undecided", "evidence")
    assert stored(claim) == {
        "text": "text",
        "difference": None,
        "interval": [None, 1.0],
        "p": None,
        "verdict": "undecided",
        "told": "evidence",
    }


def test_a_metric_is_that_of_a_class_where_there_is_one_of_each():
    assert metric_of(NUMBERS, "recall", 1) == 1.0
    assert metric_of(NUMBERS, "loss") == 0.5
    assert math.isnan(metric_of({"cost": None}, "cost"))
