"""The data of a run: its split is drawn once and kept, and what no image of a part measures is said."""

import numpy as np
import pytest

from tenfold.choices import recipe
from tenfold.errors import FileError
from tenfold.runs.prepare import prepare


@pytest.fixture
def many(tmp_path):
    """200 classes of five images of noise."""
    x = np.random.default_rng(0).normal(size=(1000, 6)).astype(np.float32)
    np.savez(tmp_path / "many.npz", x=x, y=np.repeat(np.arange(200), 5))
    return recipe({"kind": "train", "data": str(tmp_path / "many.npz")})


def rows(prepared):
    return {part: held.rows.numpy() for part, held in prepared.parts.items()}


def test_classes_that_are_not_validated_are_counted_on_the_terminal(many, tmp_path):
    lines = []
    prepared = prepare(many, tmp_path, "", lambda event: lines.append(event.message))
    labels = prepared.dataset.labels.numpy()[rows(prepared)["validation"]]
    lacking = [name for k, name in enumerate(prepared.dataset.class_names) if k not in labels]
    said = f"{len(lacking)} of 200 classes without a validation image, so not validated: {', '.join(lacking[:3])}, …;"
    assert len(lacking) == 120
    assert lines == [f"warning: {prepared.about.warnings[0]}"]
    assert prepared.about.warnings[0].startswith(said)


def test_a_resumed_run_keeps_the_split_that_it_has(many, tmp_path):
    """As a run of an older revision has it, which took the first names of small classes."""
    drawn = rows(prepare(many, tmp_path, "", print))
    rest = np.setdiff1d(np.arange(1000), drawn["test"])
    validation = rest[np.unique(rest // 5, return_index=True)[1]][:80]
    older = {"train": np.setdiff1d(rest, validation), "validation": validation, "test": drawn["test"]}
    np.savez(tmp_path / "splits.npz", **older)
    for _ in range(2):
        for part, positions in rows(prepare(many, tmp_path, "", print)).items():
            np.testing.assert_array_equal(positions, older[part])


@pytest.mark.parametrize("spoiled", ["cut", "outside", "short"])
def test_a_split_that_was_spoiled_is_one_plain_line(many, tmp_path, spoiled):
    prepare(many, tmp_path, "", print)
    path = tmp_path / "splits.npz"
    if spoiled == "cut":
        path.write_bytes(path.read_bytes()[:99])
    else:
        content = {"train": [0], "validation": [1], "test": [1000]}
        np.savez(path, **dict(list(content.items())[: 3 if spoiled == "outside" else 2]))
    with pytest.raises(FileError, match=r"splits.npz: damaged .*restore it from a copy") as caught:
        prepare(many, tmp_path, "", print)
    assert "\n" not in str(caught.value)
