"""The laws of losses of embeddings, over every case that an entry declares."""

import pytest
import torch

from tenfold.rooms import find, numbers
from tests.engine.cases import declared, entries, over, relative

H = 1e-6
losses = pytest.mark.parametrize(("loss", "case"), over("embedding_losses"))
LABELS = {
    "pairs": [0, 1, 2, 3, 4, 0, 1, 2, 3, 4],
    "classes": [0, 0, 0, 1, 1, 1, 2, 2, 2, 2],
    "one alone": [0, 0, 0, 0, 1, 1, 1, 1, 2, 3],
}
labels = pytest.mark.parametrize("y", [torch.tensor(y) for y in LABELS.values()], ids=LABELS)


def embeddings(case, draw, *shape):
    z = draw(*shape)
    return z / z.norm(dim=-1, keepdim=True) if case.get("unit") else z


def draws(rng, rows):
    return torch.from_numpy(rng.random((rows, 2)))


@labels
@losses
def test_value_and_gradient_are_the_definition_and_autograd(loss, case, y, draw, rng):
    z, u = embeddings(case, draw, 3, 10, 5), draws(rng, 10)
    leaf, given = z.clone().requires_grad_(), z.clone()
    value, dz = loss(z, y, u, **case["numbers"])
    reference = torch.stack([case["reference"](member, y, u, **case["numbers"]) for member in leaf])
    reference.sum().backward()
    assert value.shape == (3,)
    assert relative(value, reference.detach()) < 1e-12
    assert relative(dz, leaf.grad) < 1e-12
    assert torch.equal(z, given)
    assert bool((value > 0).all())


@losses
def test_gradient_is_the_slope_along_a_random_direction(loss, case, draw, rng):
    z, v, u, y = embeddings(case, draw, 3, 10, 5), draw(3, 10, 5), draws(rng, 10), torch.tensor(LABELS["classes"])
    ahead, behind = (loss(z + step * v, y, u, **case["numbers"])[0] for step in (H, -H))
    slope = (loss(z, y, u, **case["numbers"])[1] * v).sum((-2, -1))
    torch.testing.assert_close(slope, (ahead - behind) / (2 * H), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@losses
def test_loss_is_finite_where_embeddings_coincide(loss, case, dtype, draw, rng):
    y, u = torch.tensor(LABELS["classes"]), draws(rng, 10)
    for z in (torch.zeros(10, 5), draw(1, 5).expand(10, 5) * 1e3, draw(5, 5).repeat(2, 1), draw(10, 5) * 1e-12):
        value, dz = loss(z.to(dtype), y, u.to(dtype), **case["numbers"])
        assert bool(value.isfinite())
        assert bool(dz.isfinite().all())
    point = draw(1, 5).to(dtype)
    value, dz = loss(point.expand(10, 5), y, u.to(dtype), **case["numbers"])
    assert relative(value.double(), torch.tensor(case["collapsed"](y), dtype=torch.float64)) < 1e-5
    along = (dz @ point.T) * point / point.square().sum()
    assert float((dz - along).abs().max()) < 1e-6, "nothing but their length would change"


@losses
def test_a_batch_without_positives_or_without_negatives_is_finite(loss, case, draw, rng):
    z, u = embeddings(case, draw, 3, 6, 5), draws(rng, 6)
    for y, name in ((torch.arange(6), "without_positives"), (torch.zeros(6, dtype=torch.int64), "without_negatives")):
        value, dz = loss(z, y, u, **case["numbers"])
        assert bool(dz.isfinite().all())
        assert bool((value == 0).all()) == (name in case["zero"])
        assert bool((dz == 0).all()) == (name in case["zero"])


@losses
def test_shift_rotation_and_scale_do_what_is_said(loss, case, draw, rng):
    z, y, u = embeddings(case, draw, 3, 10, 5), torch.tensor(LABELS["classes"]), draws(rng, 10)
    value, dz = loss(z, y, u, **case["numbers"])
    moved, moved_dz = loss(z + draw(3, 1, 5), y, u, **case["numbers"])
    assert (relative(value, moved) < 1e-12 and relative(dz, moved_dz) < 1e-11) == case["shift_invariant"]
    assert (float(dz.sum(-2).abs().max()) < 1e-14) == case["shift_invariant"]
    rotation = torch.linalg.qr(draw(5, 5))[0]
    turned, turned_dz = loss(z @ rotation, y, u, **case["numbers"])
    assert relative(value, turned) < 1e-12
    assert relative(dz @ rotation, turned_dz) < 1e-12
    if "scaled" in case:
        scaled, scaled_dz = loss(3 * z, y, u, **case["scaled"](case["numbers"], 3.0))
        assert relative(case["factor"](3.0) * value, scaled) < 1e-12
        assert relative(case["factor"](3.0) / 3.0 * dz, scaled_dz) < 1e-11


@losses
def test_a_population_is_its_members_each_with_its_own_numbers(loss, case, draw, rng):
    z, y, u = embeddings(case, draw, 3, 10, 5), torch.tensor(LABELS["classes"]), draws(rng, 10)
    varying = {name: torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64) * case["numbers"][name] for name in case["own"]}
    value, dz = loss(z, y, u, **case["numbers"] | varying)
    strided = loss(z.mT.contiguous().mT, y, u, **case["numbers"] | varying)
    assert max(relative(value, strided[0]), relative(dz, strided[1])) < 1e-13
    for k in range(3):
        alone, dz_alone = loss(z[k], y, u, **case["numbers"] | {name: float(n[k]) for name, n in varying.items()})
        assert relative(value[k], alone) < 1e-13
        assert relative(dz[k], dz_alone) < 1e-13


@losses
def test_the_order_of_the_rows_means_nothing(loss, case, draw, rng):
    z, y, u = embeddings(case, draw, 2, 10, 5), torch.tensor(LABELS["classes"]), draws(rng, 10)
    if case.get("drawn"):
        pytest.skip("which triplets are drawn depends on the order")
    order = torch.from_numpy(rng.permutation(10))
    value, dz = loss(z, y, u, **case["numbers"])
    other, other_dz = loss(z[:, order], y[order], u, **case["numbers"])
    assert max(relative(value, other), relative(dz[:, order], other_dz)) < 1e-12


@pytest.mark.parametrize("word", entries("embedding_losses"))
def test_every_number_that_varies_is_under_the_law_of_populations(word):
    varying = {number.name for number in numbers("embedding_losses", word) if number.varies}
    assert all(set(case["own"]) == varying for case in declared("embedding_losses", word).values())
    assert find("embedding_losses", word).__name__ == word
