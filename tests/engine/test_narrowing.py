"""The format of convolutions: chosen by name, measured once, kept, and given to presets that leave it open."""

import json
from pathlib import Path

import pytest

import tenfold
from tenfold.choices import recipe
from tenfold.engine import machine, narrowing
from tenfold.errors import UsageError


@pytest.fixture(autouse=True)
def _asked_anew(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("TENFOLD_PRECISION", raising=False)
    narrowing.fastest_precision.cache_clear()
    yield
    narrowing.fastest_precision.cache_clear()


def test_it_is_measured_once_and_kept(tmp_path, monkeypatch):
    word = narrowing.fastest_precision()
    assert word in narrowing.PRECISIONS
    (kept,) = Path(tmp_path / "tenfold").glob("precision-*.json")
    assert json.loads(kept.read_text()) == {"route": word}
    other = next(name for name in narrowing.PRECISIONS if name != word)
    kept.write_text(json.dumps({"route": other}))
    narrowing.fastest_precision.cache_clear()
    assert narrowing.fastest_precision() == other
    kept.write_text("{")
    monkeypatch.setattr(narrowing, "_measure", lambda: "float32")
    narrowing.fastest_precision.cache_clear()
    assert narrowing.fastest_precision() == "float32"
    assert json.loads(kept.read_text()) == {"route": "float32"}


@pytest.mark.parametrize("word", narrowing.PRECISIONS)
def test_the_environment_decides_and_a_recipe_holds_the_choice(word, monkeypatch):
    monkeypatch.setenv("TENFOLD_PRECISION", word)
    assert recipe({"model": "convnet"}).precision == word
    assert recipe({"model": "convnet", "precision": "float64"}).precision == "float64"
    assert recipe({"model": "mlp"}).precision == "float32"


def test_a_wrong_word_is_named(monkeypatch):
    monkeypatch.setenv("TENFOLD_PRECISION", "bfloat61")
    with pytest.raises(UsageError, match="TENFOLD_PRECISION=bfloat61: no such precision, did you mean 'bfloat16'"):
        recipe({"model": "convnet"})


def test_the_faster_of_two_is_chosen_by_a_margin(monkeypatch):
    times = iter([1.0, 1.05, 1.0, 1.5])
    monkeypatch.setattr(narrowing, "least_seconds", lambda work: next(times))
    assert [narrowing._measure(), narrowing._measure()] == ["float32", "bfloat16"]
    assert machine.least_seconds(lambda: None) >= 0


@pytest.mark.parametrize(
    ("fastest", "model", "said"), [("float32", "convnet", 1), ("bfloat16", "convnet", 0), ("float32", "mlp", 0)]
)
def test_bfloat16_is_done_where_it_is_slower_and_that_is_said(fastest, model, said, monkeypatch, tmp_path):
    monkeypatch.setenv("TENFOLD_PRECISION", fastest)
    choices = {"precision": "bfloat16", "widths": (4,), "epochs": 1, "limit": 60, "batch_size": 30}
    run = tenfold.train("digits", out=tmp_path / "run", model=model, **choices)
    assert run.model.cause["recipe"]["precision"] == "bfloat16"
    assert sum("convolves faster in float32" in text for text in run.result["warnings"]) == said
