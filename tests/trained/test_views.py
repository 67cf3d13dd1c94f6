"""Views of a picture: their weights, and that every score of a model is their mean."""

import numpy as np
import pytest
import torch

import tenfold
from tenfold.runs.predict import evaluate_model
from tenfold.trained.model import load_model, scores
from tenfold.trained.views import views


@pytest.mark.parametrize(
    ("word", "mirrors", "count"),
    [("none", True, 1), ("flip", True, 2), ("flip", False, 1), ("flip+shift", True, 6), ("flip+shift", False, 3)],
)
def test_views_are_those_that_they_say_and_their_weights_add_up_to_one(word, mirrors, count, draw):
    x = draw(4, 3, 6, 5)
    seen = list(views(x, word, mirrors))
    assert len(seen) == count
    assert sum(weight for weight, _ in seen) == 1
    assert torch.equal(seen[0][1], x)
    assert all(images.shape == x.shape for _, images in seen)
    padded = torch.from_numpy(np.pad(x.numpy(), ((0, 0), (0, 0), (1, 1), (1, 1)), mode="reflect"))
    moved = [x, padded[..., :6, :5], padded[..., 2:, 2:]]
    for weight, images in seen:
        (place,) = (k for k, m in enumerate(moved) if torch.equal(images, m) or torch.equal(images, m.flip(-1)))
        of_place = [1, 0, 0] if word != "flip+shift" else [0.5, 0.25, 0.25]
        assert weight == of_place[place] / (2 if mirrors and word != "none" else 1)


@pytest.mark.parametrize("model", ["linear", "convnet"])
def test_a_runs_scores_are_the_mean_of_its_views_in_its_file_too(model, tmp_path):
    choices = {"model": model, "widths": [4], "flip": 0.5, "test_views": "flip+shift", "epochs": 1, "limit": 200}
    run = tenfold.train("digits", out=tmp_path / "run", **choices)
    (note,) = (note for note in run.result["notes"] if "mean of 6 views" in note)
    assert note.startswith(f"{run.result['best_rung']}: scores are the mean of 6 views")
    (member,) = run.result["members"]  # its row says what its answers say, intervals and all
    assert all(member[part]["accuracy"] == run.result[part]["accuracy"] for part in ("validation", "test"))
    trained, images = load_model(tmp_path / "run" / "model.tenfold"), tenfold.load("digits").images[:7].float()
    plain = trained.cause["recipe"] | {"test_views": "none"}
    alone = type(trained)(**{**vars(trained), "cause": trained.cause | {"recipe": plain}})
    mean = sum(weight * scores(alone, seen) for weight, seen in views(images, "flip+shift", True))
    torch.testing.assert_close(scores(trained, images), mean, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(scores(alone, images), mean)
    notes = evaluate_model(tmp_path / "run", "digits", "test", "")["notes"]
    assert any(note.startswith("scores are the mean of 6 views") for note in notes)
    assert "the mean of 6 views of an image" in (tmp_path / "run" / "model.md").read_text()


def test_views_of_features_are_refused():
    with pytest.raises(tenfold.errors.UsageError, match="test_views: looks at pixels"):
        tenfold.train("digits", features="patches", test_views="flip")
