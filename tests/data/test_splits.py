"""Splits: stratified, disjoint, seeded, and what cannot be had is refused by name."""

import hashlib
import random
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tenfold.data.splits import read_split, split, stratified
from tenfold.data.types import Dataset
from tenfold.errors import DataError, FileError, UsageError


def dataset(labels, **parts):
    labels = torch.as_tensor(labels)
    names = tuple(f"class {k}" for k in range(int(labels.max()) + 1))
    positions = {name: torch.as_tensor(rows) for name, rows in parts.items()}
    return Dataset("made", torch.zeros(len(labels), 1, 2, 2, dtype=torch.uint8), labels, names, 1.0, positions)


def uneven(n=1000):
    """Four classes with about 40, 30, 20 and 10 % of the images, in no order."""
    return np.random.default_rng(0).permutation(np.repeat(np.arange(4), [n * 4 // 10, n * 3 // 10, n // 5, n // 10]))


def official():
    return dataset(uneven(), train=np.arange(800), test=np.arange(800, 1000))


def counts(data, rows):
    return torch.bincount(data.labels[rows], minlength=len(data.class_names)).tolist()


def test_every_class_has_its_share_of_every_part():
    data = dataset(uneven())
    parts = split(data, 0, validation=0.1, test=0.2)
    assert {name: counts(data, rows) for name, rows in parts.items()} == {
        "train": [288, 216, 144, 72],
        "validation": [32, 24, 16, 8],
        "test": [80, 60, 40, 20],
    }


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=120),
    st.floats(0.001, 0.999) | st.integers(1, 120),
    st.integers(0, 2**32 - 1),
)
def test_a_stratified_draw_is_of_its_size_and_each_class_within_one_of_its_share(labels, size, seed):
    labels, pool = np.array(labels), np.arange(len(labels)) * 3
    spread = np.zeros(len(labels) * 3, dtype=np.int64)
    spread[pool] = labels
    if size > len(labels):
        with pytest.raises(UsageError, match=f"there are {len(labels)}"):
            stratified(spread, pool, size, seed, "test", np.arange(len(spread)))
        return
    drawn, left = stratified(spread, pool, size, seed, "test", np.arange(len(spread)))
    assert len(drawn) == (round(size * len(labels)) if size < 1 else size)
    assert np.array_equal(np.sort(np.concatenate((drawn, left))), pool)
    for k in np.unique(labels):
        exact = Fraction(int((labels == k).sum()) * len(drawn), len(labels))
        assert abs(int((spread[drawn] == k).sum()) - exact) < 1


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.5), st.floats(0.05, 0.4), st.booleans())
def test_parts_are_disjoint_complete_ascending_and_seeded(seed, validation, test, has_parts):
    data = official() if has_parts else dataset(uneven())
    parts = split(data, seed, validation, test)
    together = torch.cat(list(parts.values()))
    assert list(parts) == ["train", "validation", "test"]
    assert torch.equal(together.sort().values, torch.arange(1000))
    for name, again in split(data, seed, validation, test).items():
        assert torch.equal(again, parts[name])
        assert torch.equal(again, again.sort().values)
        assert again.dtype == torch.int64
    assert not has_parts or torch.equal(parts["test"], data.parts["test"])


def test_another_seed_draws_others():
    first, second = (split(official(), seed) for seed in (0, 1))
    assert not torch.equal(first["validation"], second["validation"])
    assert torch.equal(first["test"], second["test"])


def test_parts_of_the_source_are_kept():
    data = dataset(uneven(), train=np.arange(700), validation=np.arange(700, 800), test=np.arange(800, 1000))
    parts = split(data, 0, validation=0.5, test=0.5)
    assert all(torch.equal(parts[name], data.parts[name]) for name in parts)


def small(classes=200, each=5):
    return dataset(np.repeat(np.arange(classes), each))


@pytest.mark.parametrize("seed", range(5))
def test_which_small_classes_get_an_image_is_drawn_and_not_their_names(seed):
    """200 classes of 4 images after the test part: 80 are held out, one a class at most, all over the alphabet."""
    drawn = counts(small(), split(small(), seed)["validation"])
    assert (max(drawn), sum(drawn)) == (1, 80)
    lower = sum(drawn[:100])
    assert 25 <= lower <= 55  # 40 on average, within 4 standard deviations of drawing 80 of 200
    assert drawn != counts(small(), split(small(), seed + 1)["validation"])
    assert drawn == counts(small(), split(small(), seed)["validation"])


@pytest.mark.parametrize("part", ["test", "limit", "validation"])
def test_the_draw_of_small_classes_is_another_for_each_part(part):
    labels = np.repeat(np.arange(60), 3)
    drawn, _ = stratified(labels, np.arange(180), 30, 0, part, np.arange(180))
    there = np.bincount(labels[drawn], minlength=60)
    assert (there.max(), there.sum()) == (1, 30)
    assert 5 <= there[:30].sum() <= 25
    other, _ = stratified(labels, np.arange(180), 30, 0, f"not {part}", np.arange(180))
    assert not np.array_equal(drawn, other)


def test_small_classes_beside_large_ones_are_drawn_too():
    """Three large classes, and forty of 2 images: a tenth of 380 is 38, of which the small ones are left 8."""
    labels = np.concatenate((np.repeat(np.arange(3), 100), np.repeat(np.arange(3, 43), 2)))
    takers = set()
    for seed in range(6):
        drawn, _ = stratified(labels, np.arange(380), 0.1, seed, "validation", np.arange(380))
        there = np.bincount(labels[drawn])
        assert there[:3].tolist() == [10, 10, 10]
        assert there.sum() == 38
        takers |= set(np.flatnonzero(there[3:]).tolist())
    assert len(takers) > 20
    assert max(takers) > 30


def test_where_every_class_gets_an_image_the_split_is_what_it_was():
    """Ties of large classes go to the smaller class number: digests of splits as revision c99c8a3 drew them."""
    tied = dataset(np.arange(1003) % 4)
    digests = [
        hashlib.sha256(split(data, 7)["validation"].numpy().tobytes()).hexdigest()[:12]
        for data in (tied, dataset(uneven()), official())
    ]
    assert digests == ["38120bb71aaa", "debea9b19e3f", "8e661a97274b"]


def test_only_the_drawn_part_depends_on_its_size():
    tests = [split(dataset(uneven()), 0, validation)["test"] for validation in (0.1, 0.3, 55)]
    assert all(torch.equal(rows, tests[0]) for rows in tests)


@pytest.mark.parametrize("limit", [8, 37, 100, 799])
def test_a_limit_is_a_stratified_sample_of_the_training_part(limit):
    data = official()
    parts = split(data, 0, validation=0.25, limit=limit)
    drawn = torch.cat((parts["train"], parts["validation"]))
    assert len(drawn) == limit
    assert set(drawn.tolist()) <= set(range(800))
    whole = np.array(counts(data, torch.arange(800)))
    assert np.abs(np.array(counts(data, drawn)) - whole * limit / 800).max() < 1
    assert torch.equal(parts["test"], data.parts["test"])


def test_rows_are_positions_of_the_training_part():
    rows = np.random.default_rng(1).permutation(1000)
    data = dataset(uneven(), train=rows[:800], test=rows[800:])
    parts = split(data, 0, rows="0:600", validation_rows="600:800")
    assert torch.equal(parts["train"], torch.from_numpy(np.sort(rows[:600])))
    assert torch.equal(parts["validation"], torch.from_numpy(np.sort(rows[600:800])))
    only = split(data, 0, validation_rows=":100")
    assert torch.equal(only["validation"], torch.from_numpy(np.sort(rows[:100])))
    assert torch.equal(only["train"], torch.from_numpy(np.sort(rows[100:800])))
    drawn = split(data, 0, rows="200:")
    assert set(drawn["train"].tolist()) | set(drawn["validation"].tolist()) == set(rows[200:800].tolist())


def test_rows_of_data_without_parts_are_positions_of_all_and_nothing_is_in_two_parts():
    parts = split(dataset(uneven()), 0, rows="0:500", validation_rows="500:700")
    assert len(torch.cat(list(parts.values())).unique()) == sum(len(rows) for rows in parts.values())


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        ({"validation": 801}, "validation of 801 images: there are 800"),
        ({"validation": 1.5}, "validation of 1.5 images"),
        ({"limit": 900}, "limit of 900 images: there are 800"),
        ({"rows": "0:900"}, "rows 0:900: the training part has positions 0:800"),
        ({"rows": "5:5"}, "rows 5:5"),
        ({"rows": "9:2"}, "rows 9:2"),
        ({"rows": "-5:10"}, "expected two positions"),
        ({"rows": "10"}, "expected two positions"),
        ({"rows": "a:b"}, "expected two positions"),
        ({"rows": "²:10"}, "expected two positions"),
        ({"validation_rows": "0:900"}, "validation-rows 0:900"),
        ({"rows": "0:500", "validation_rows": "499:600"}, "share 1 images"),
    ],
)
def test_a_part_that_cannot_be_had_is_refused_by_name(choices, says):
    with pytest.raises(UsageError) as caught:
        split(official(), 0, **choices)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_part_or_class_is_refused_by_name():
    with pytest.raises(DataError, match="the validation part is empty"):
        split(official(), 0, validation=1e-9)
    with pytest.raises((DataError, UsageError), match="train"):
        split(official(), 0, validation=800)
    alone = dataset([0] * 50 + [1])
    with pytest.raises(DataError, match="class 'class 1' has no training image"):
        split(alone, 0, test=26)
    with pytest.raises(DataError, match="class 'class 3' has no training image"):
        split(official(), 0, limit=4, validation=1)


# Groups: images that are one and the same are drawn together


def grouped(labels, *groups):
    """Numbers of the groups of these images; everything else on its own."""
    numbers = np.arange(len(labels))
    for group in groups:
        numbers[list(group)] = group[0]
    return numbers


def sides(parts, group):
    return {name for name, rows in parts.items() if set(rows.tolist()) & set(group)}


@given(st.integers(0, 2**32 - 1), st.integers(2, 30))
def test_no_group_lies_on_two_sides(seed, size):
    labels = uneven(300)
    twins = np.random.default_rng(seed).permutation(300)[: 3 * size].reshape(3, size).tolist()
    parts = split(dataset(labels), seed, groups=grouped(labels, *twins))
    for group in twins:
        assert len(sides(parts, group)) == 1
    assert sorted(np.concatenate([rows.numpy() for rows in parts.values()])) == list(range(300))


def test_groups_leave_the_sizes_of_the_parts_alone():
    labels = uneven()
    pairs = np.random.default_rng(1).permutation(1000)[:400].reshape(200, 2).tolist()
    parts = split(dataset(labels), 0, groups=grouped(labels, *pairs))
    assert {name: len(rows) for name, rows in parts.items()} == {"train": 720, "validation": 80, "test": 200}


def test_without_groups_nothing_changes():
    labels = uneven()
    alone, none = (split(dataset(labels), 3, groups=groups) for groups in (np.arange(1000) + 7, None))
    assert all(torch.equal(alone[name], none[name]) for name in alone)


def test_a_group_larger_than_a_part_stays_in_training():
    labels = np.repeat([0, 1], 20)
    parts = split(dataset(labels), 0, groups=grouped(labels, range(12)))
    assert sides(parts, range(12)) == {"train"}


def test_an_official_test_part_is_kept_whatever_the_groups_say():
    data = official()
    parts = split(data, 0, groups=grouped(data.labels, (0, 900)))
    assert torch.equal(parts["test"], data.parts["test"])
    # The twin of a test image is still drawn for one of the other two parts.
    assert len(sides(parts, [0])) == 1


def refusal(path):
    """Why a split is not read, "" where it is."""
    try:
        read_split(path)
    except FileError as error:
        return str(error)
    return ""


def test_a_split_whose_bytes_were_changed_is_read_or_named(tmp_path):
    path, rng = tmp_path / "splits.npz", random.Random(0)
    np.savez_compressed(path, train=np.arange(70), validation=np.arange(70, 80), test=np.arange(80, 100))
    whole, refused = path.read_bytes(), 0
    for _ in range(600):
        changed = bytearray(whole)
        for _ in range(rng.randint(1, 3)):
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        path.write_bytes(bytes(changed[: rng.choice([len(changed), rng.randrange(len(changed))])]))
        message = refusal(path)
        assert not message or message.startswith(f"{path}: damaged")
        assert "\n" not in message
        refused += bool(message)
    assert refused > 400


@pytest.mark.parametrize("test", [np.zeros((2, 2), dtype=np.int64), np.zeros(2), np.array(["a"])])
def test_a_split_of_other_than_positions_is_refused(tmp_path, test):
    np.savez(tmp_path / "splits.npz", train=np.arange(3), validation=np.arange(3), test=test)
    with pytest.raises(FileError, match=r"splits.npz: damaged \(it has no positions of the test part"):
        read_split(tmp_path / "splits.npz")
