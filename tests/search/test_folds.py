"""Folds: disjoint, complete, even in every class, seeded, duplicates together, and what cannot be had is refused."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenfold.errors import UsageError
from tenfold.search.folds import folds

NAMES = tuple(f"class {k}" for k in range(10))


def alone(labels):
    return np.arange(len(labels))


@given(st.lists(st.integers(0, 3), min_size=12, max_size=200), st.integers(2, 4), st.integers(0, 9))
def test_they_are_a_partition_and_every_class_is_even(listed, count, seed):
    labels = np.array([*listed, *[0, 1, 2, 3] * 4])
    pool = np.random.default_rng(seed).permutation(len(labels))[5:]
    if np.bincount(labels[pool]).min() < count:
        return
    held = folds(labels, pool, count, seed, alone(labels), NAMES)
    assert sorted(np.concatenate(held).tolist()) == sorted(pool.tolist())
    for k in range(4):
        own = [int((labels[part] == k).sum()) for part in held]
        assert max(own) - min(own) <= 1
    sizes = [len(part) for part in held]
    assert max(sizes) - min(sizes) <= 1
    for part in held:
        assert part.tolist() == [position for position in pool.tolist() if position in set(part.tolist())]


def test_the_seed_decides_and_nothing_else():
    labels = np.random.default_rng(0).integers(0, 10, 500)
    first = folds(labels, alone(labels), 5, 1, alone(labels), NAMES)
    code = (
        "import numpy as np; from tenfold.search.folds import folds\n"
        "y = np.random.default_rng(0).integers(0, 10, 500); n = np.arange(500)\n"
        "print([p.tolist() for p in folds(y, n, 5, 1, n, list('abcdefghij'))])"
    )
    told = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert told.strip() == repr([part.tolist() for part in first])
    other = folds(labels, alone(labels), 5, 2, alone(labels), NAMES)
    assert not any(set(a) == set(b) for a in map(tuple, first) for b in map(tuple, other))


def test_they_are_drawn_not_cut():
    labels = np.zeros(1000, np.int64)
    held = folds(labels, alone(labels), 5, 0, alone(labels), NAMES)
    halves = [int((part < 500).sum()) for part in held]
    assert all(60 < half < 140 for half in halves)


@given(st.integers(0, 50))
def test_a_group_is_never_split_and_classes_stay_even_within_the_largest(seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, 300)
    groups = np.arange(300)
    for start in rng.choice(290, 20, replace=False):
        groups[start : start + rng.integers(2, 7)] = groups[start]
    largest = np.unique(groups, return_counts=True)[1].max()
    held = folds(labels, alone(labels), 5, seed, groups, NAMES)
    assert sorted(np.concatenate(held).tolist()) == list(range(300))
    seen = [set(groups[part].tolist()) for part in held]
    assert sum(map(len, seen)) == len(set(groups.tolist()))
    pure = {g for g in groups.tolist() if len(set(labels[groups == g])) == 1}
    for k in range(3):
        own = [sum(labels[i] == k and groups[i] in pure for i in part) for part in held]
        assert max(own) - min(own) <= 2 * largest


def test_groups_of_one_class_even_out():
    labels = np.repeat([0, 1], 60)
    groups = np.arange(120) // 3
    counts = [np.bincount(labels[part]).tolist() for part in folds(labels, alone(labels), 4, 0, groups, NAMES)]
    assert counts == [[15, 15]] * 4


def test_large_groups_go_first_and_single_images_fill_up():
    labels = np.zeros(12, np.int64)
    groups = np.array([0, 1, 2, 3, 4, 5, 6, 6, 6, 6, 6, 6])
    for seed in range(5):
        assert [len(part) for part in folds(labels, alone(labels), 2, seed, groups, NAMES)] == [6, 6]


def test_positions_outside_of_the_pool_are_not_touched():
    labels = np.zeros(20, np.int64)
    pool = np.arange(10, 20)
    groups = np.zeros(20, np.int64) + np.arange(20) // 2
    assert sorted(np.concatenate(folds(labels, pool, 5, 0, groups, NAMES)).tolist()) == list(range(10, 20))


def test_more_folds_than_the_smallest_class_are_refused_by_name():
    labels = np.array([0] * 50 + [1] * 3 + [2] * 20)
    with pytest.raises(
        UsageError, match="--folds 5: the smallest class, 'class 1', has 3 images; give at most 3 folds"
    ):
        folds(labels, alone(labels), 5, 0, alone(labels), NAMES)
    groups = np.arange(73)
    groups[50:52] = 50
    with pytest.raises(UsageError, match="'class 1', has 3 images in 2 groups of duplicates; give at most 2 folds"):
        folds(labels, alone(labels), 3, 0, groups, NAMES)
    groups[50:53] = 50
    with pytest.raises(UsageError, match="has 3 images in 1 group of duplicates; give more images of it"):
        folds(labels, alone(labels), 2, 0, groups, NAMES)
    with pytest.raises(UsageError, match="--folds 1: give 2 or more"):
        folds(labels, alone(labels), 1, 0, alone(labels), NAMES)
