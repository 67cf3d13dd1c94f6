"""The plan of populations: everything once, only what may train together does, and within memory."""

import collections
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenfold.choices import recipe
from tenfold.errors import UsageError
from tenfold.recipe import SPLITTING, Recipe
from tenfold.search.planner import copies, members_that_fit, plan, sentences

GB = 10**9


def combined(**lists):
    return [dict(zip(lists, values, strict=True)) for values in itertools.product(*lists.values())]


def planned(candidates, folds=1, seeds=(0,), budget=GB, **base):
    return plan(recipe(base), candidates, (1, 8, 8), 10, folds, seeds, budget)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "loss": st.sampled_from(["softmax", "hinge"]),
                "batch_size": st.sampled_from([16, 32]),
                "model": st.just("mlp"),
                "hidden": st.sampled_from([(8,), (16, 8)]),
                "l2": st.floats(0, 1),
            }
        ),
        min_size=1,
        max_size=40,
    ),
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(21 * 10**6, 30 * 10**6),
)
def test_every_run_once_in_a_population_of_its_own_kind(candidates, folds, seeds, budget):
    found = planned(candidates, folds, range(seeds), budget)
    runs = collections.Counter((m, unit.fold, unit.seed) for unit in found.units for m in unit.members)
    assert set(runs) == set(itertools.product(range(len(candidates)), range(folds), range(seeds)))
    assert set(runs.values()) == {1}
    for unit in found.units:
        assert unit.bytes <= budget
        for member in unit.members:
            assert {f: v for f, v in candidates[member].items() if f in SPLITTING} == unit.shared
        losses = [candidates[member]["loss"] for member in unit.members]
        assert len(list(itertools.groupby(losses))) == len(set(losses))


def test_what_varies_inside_does_not_split():
    lists = {
        "learning_rate": [0.1, 0.2],
        "l2": [0.0, 1.0],
        "loss": ["softmax", "hinge"],
        "init_seed": [0, 1],
        "flip": [0.0, 0.5],
    }
    found = planned(combined(**lists))
    assert [len(unit.members) for unit in found.units] == [32]
    assert sentences(found)[0] == "32 settings: 32 runs in 1 population, 32 members each."
    assert len(sentences(found)) == 2


def test_it_says_what_splits():
    found = planned(combined(batch_size=[16, 32], standardize=["none", "pixel", "channel"], l2=[0.0, 0.1]), 5, (0, 1))
    assert sentences(found)[:2] == [
        "12 settings × 5 folds × 2 seeds: 120 runs in 60 populations, 2 members each.",
        "They are split by: 2 values of batch_size × 3 values of standardize × 5 folds × 2 seeds."
        if list(found.units[0].shared) == ["batch_size", "standardize"]
        else "They are split by: 3 values of standardize × 2 values of batch_size × 5 folds × 2 seeds.",
    ]
    some = [{"model": "linear"}, {"model": "mlp", "hidden": (8,)}, {"model": "mlp", "hidden": (16,)}]
    assert sentences(planned(some))[1] == "They are split by: 3 combinations of model, hidden."


def test_nothing_is_nothing():
    assert sentences(planned([])) == ["There is nothing to train."]


def test_a_seed_may_be_searched_or_repeated():
    found = planned([{"seed": 3}, {"seed": 4}, {"seed": 3, "l2": 1.0}])
    assert [(unit.seed, unit.members) for unit in found.units] == [(3, (0, 2)), (4, (1,))]
    with pytest.raises(UsageError, match="the seed is both searched and repeated"):
        planned([{"seed": 3}], seeds=(0, 1))


def test_memory_splits_evenly_and_says_so():
    candidates = combined(l2=[float(k) for k in range(100)])
    whole = planned(candidates)
    one = planned(candidates[:2]).units[0].bytes - planned(candidates[:1]).units[0].bytes
    fixed = whole.units[0].bytes - 100 * one
    found = planned(candidates, budget=fixed + 30 * one)
    assert [len(unit.members) for unit in found.units] == [25, 25, 25, 25]
    assert "up to 4 pieces" in sentences(found)[1]
    assert [len(unit.members) for unit in planned(candidates, budget=fixed + 34 * one - 1).units] == [25] * 4
    assert [len(unit.members) for unit in planned(candidates, budget=fixed + 34 * one).units] == [33, 33, 34]
    assert "33 to 34 members each" in sentences(planned(candidates, budget=fixed + 34 * one))[0]
    with pytest.raises(UsageError, match=r"one member of the model linear takes .* MB"):
        planned(candidates, budget=fixed + one - 1)


def test_bytes_count_weights_memory_and_activations():
    one, two = (
        plan(Recipe(precision="float64"), [{}] * n, (3, 32, 32), 10, 1, (0,), 10 * GB).units[0].bytes for n in (1, 2)
    )
    assert two - one == 3 * 3073 * 10 * 8 + 500 * 10 * 4 * 8
    adam = recipe({"optimizer": "adam"})
    mlp = recipe({"model": "mlp", "hidden": [256, 128], "batch_size": 1000, "optimizer": "adam"})
    one, two = (plan(mlp, [{}] * n, (1, 28, 28), 10, 1, (0,), 10 * GB).units[0].bytes for n in (1, 2))
    assert two - one == 7 * 4 * (785 * 256 + 257 * 128 + 129 * 10) + 4 * 4 * 1000 * (256 + 128 + 10)
    flips = [
        plan(mlp, [{"flip": p} for p in ps], (1, 28, 28), 10, 1, (0,), 10 * GB).units[0].bytes
        for ps in ((1, 1), (0, 1))
    ]
    assert flips[1] - flips[0] == 4 * 1000 * (2 * 4 * (256 + 128 + 10) + 3 * 784)
    assert copies(adam, [{}]) == 2
    assert [copies(Recipe(), s) for s in ([{}], [{"momentum": 0.0}], [{"momentum": 0.0}, {"momentum": 0.9}])] == [
        0,
        0,
        1,
    ]
    assert copies(recipe({"momentum": 0.9}), [{}]) == 1
    assert members_that_fit(1000, 2, 500, 15_000) == 2
    assert members_that_fit(1000, 2, 500, 7_499) == 0


def test_shapes_from_json_are_lists():
    found = planned([{"model": "mlp", "hidden": [8, 4]}, {"model": "mlp", "hidden": (8, 4)}])
    assert [unit.shared for unit in found.units] == [{"model": "mlp", "hidden": (8, 4)}]
