"""Laws of exports: every format answers as the model does, for every kind of model, where there is no Tenfold."""

import json
import subprocess
import sys

import numpy as np
import pytest

from tenfold.rooms import find, names
from tenfold.trained.agreement import CLOSE, made_images, model_answers, verified
from tenfold.trained.model import load_model, save_model
from tenfold.trained.program import _LAYERS, program, widened
from tests.trained.exports.models import CLASSES, MODELS

FORMATS = names("exports")


def written(model, word, folder):
    """A model that was saved and loaded, its program, and where it was exported."""
    save_model(folder / "model.tenfold", model)
    trained = load_model(folder / "model.tenfold")
    entry, operations = find("exports", word), program(trained)
    place = folder / f"model{entry.ending}"
    if entry.is_folder:
        place.mkdir()
    entry.write(operations, place)
    return trained, operations, place


@pytest.mark.parametrize("word", FORMATS)
@pytest.mark.parametrize("kind", MODELS)
def test_an_export_answers_as_its_model_does(kind, word, tmp_path):
    trained, operations, place = written(MODELS[kind](), word, tmp_path)
    made = verified(widened(trained), operations, find("exports", word).open(place))
    assert (made.images, made.others) == (64, 0)
    assert made.largest < CLOSE
    answers = model_answers(trained, operations, np.concatenate(list(made_images(trained, operations))))
    assert answers.std(0).min() > 0.02, "all images are alike to this model: nothing was tested"


@pytest.mark.parametrize("word", FORMATS)
def test_an_export_takes_any_number_of_images(word, tmp_path, rng):
    trained, operations, place = written(MODELS["fast"](), word, tmp_path)
    images = rng.integers(0, 256, (5, 3, 12, 12)).astype(np.float32)
    answers = find("exports", word).open(place).answers
    alone = np.concatenate([answers(images[k : k + 1]) for k in range(5)])
    np.testing.assert_allclose(answers(images), alone, atol=1e-6)
    np.testing.assert_allclose(alone, model_answers(trained, operations, images), atol=CLOSE)


WITHOUT = "import json, runpy, sys; sys.modules.update(dict.fromkeys({modules})); names = runpy.run_path({script!r})\n"
NUMPY = "shares = names['probabilities'](names['np'].full((1, 3, 12, 12), 99))\n"
TORCH = "shares = names['load']()(names['torch'].full((1, 3, 12, 12), 99)).detach()\n"
PRINT = "print(json.dumps([shares.tolist(), names['CLASSES']]))"


@pytest.mark.parametrize(
    ("kind", "word", "line"), [*((kind, "numpy", NUMPY) for kind in ("fast", "patches")), ("ensemble", "torch", TORCH)]
)
def test_code_that_was_exported_runs_without_tenfold(kind, word, line, tmp_path):
    trained, operations, place = written(MODELS[kind](), word, tmp_path)
    modules = ["tenfold", "scipy", "pydantic", *(["torch"] if word == "numpy" else ["numpy"])]
    script = str(next(place.glob("*.py")))
    code = WITHOUT.format(modules=modules, script=script) + line + PRINT
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    shares, classes = json.loads(done.stdout)
    assert classes == list(CLASSES)
    wanted = model_answers(widened(trained), operations, np.full((1, 3, 12, 12), 99.0))
    np.testing.assert_allclose(shares, wanted, atol=CLOSE)


def test_every_layer_can_be_exported():
    # Nothing is dropped in a prediction; lengths are of encoders, which no export takes.
    assert set(names("layers")) - {"dropout", "unit_length"} <= set(_LAYERS)
