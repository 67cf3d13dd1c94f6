"""The laws of losses, over every entry."""

import pytest
import torch

from tenfold.engine.losses.softmax import softmax
from tenfold.engine.models.linear import Linear
from tenfold.engine.tasks.classify import classify
from tenfold.engine.types import Batch
from tenfold.rooms import find, numbers
from tests.engine.cases import declared, entries, relative

H = 1e-6
LOSSES = [pytest.param(find("losses", word), declared("losses", word), id=word) for word in entries("losses")]
losses = pytest.mark.parametrize(("loss", "case"), LOSSES)
SCORES = {"one": (9, 4), "members": (3, 9, 4), "two classes": (2, 9, 2), "one image": (2, 1, 5)}
shapes = pytest.mark.parametrize("shape", SCORES.values(), ids=SCORES)


def oracle(case, z, y, weight=1.0):
    """Value (...,) by the independent definition, member by member."""
    share = weight[:, 0] / len(y) if isinstance(weight, torch.Tensor) else weight / len(y)
    values = [(case["each"](member, y) * share).sum() for member in z.reshape(-1, *z.shape[-2:])]
    return torch.stack(values).reshape(z.shape[:-2])


def labels(rng, shape):
    return torch.from_numpy(rng.integers(0, shape[-1], shape[-2]))


def target(case, y, z):
    """What a loss compares scores z (..., B, C) with: labels (B,), or numbers (B, C) that its case makes of them."""
    return case["target"](y, z.shape[-1]).to(z.dtype) if "target" in case else y


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("spread", [1.0, 30.0, "integers"])
@shapes
@losses
def test_loss_and_gradient_are_reference_and_autograd(loss, case, shape, spread, weighted, draw, rng):
    # Whole numbers put scores on exact ties and margins on exact kinks.
    z = draw(*shape).mul(2).round() if spread == "integers" else draw(*shape) * spread
    y, weight = target(case, labels(rng, shape), z), draw(shape[-2], 1).abs() if weighted else 1.0
    leaf, given = z.clone().requires_grad_(), z.clone()
    value, dz = loss(z, y, weight)
    reference = oracle(case, leaf, y, weight)
    reference.sum().backward()
    assert value.shape == shape[:-2]
    assert relative(value, reference.detach()) < 1e-12
    assert relative(dz, leaf.grad) < 1e-12
    assert torch.equal(z, given)


@shapes
@losses
def test_loss_gradient_is_the_slope_along_a_random_direction(loss, case, shape, draw, rng):
    z, v = draw(*shape), draw(*shape)
    y = target(case, labels(rng, shape), z)
    slope = (loss(z + H * v, y)[0] - loss(z - H * v, y)[0]) / (2 * H)
    torch.testing.assert_close((loss(z, y)[1] * v).sum((-2, -1)), slope, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@losses
def test_loss_is_finite_at_huge_scores(loss, case, dtype):
    z = torch.tensor([[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4], [-1e4, -1e4, -1e4]], dtype=dtype)
    for y in (target(case, torch.tensor(labels), z) for labels in ([0, 0, 0], [1, 2, 1])):
        value, dz = loss(z, y)
        assert bool(value.isfinite())
        assert bool(dz.isfinite().all())
        assert relative(value.double(), oracle(case, z.double(), y)) < 1e-6


@losses
def test_loss_at_zero_scores_is_what_chance_costs(loss, case):
    for classes in (2, 3, 10, 100):
        z = torch.zeros(6, classes, dtype=torch.float64)
        value, _ = loss(z, target(case, torch.arange(6) % classes, z))
        assert abs(float(value) - case["at_zero"](classes)) < 1e-12


@losses
def test_loss_knows_whether_a_shift_of_all_scores_matters(loss, case, draw, rng):
    z = draw(3, 9, 4)
    y = target(case, labels(rng, (9, 4)), z)
    shift = draw(3, 9, 1) * 10
    value, dz = loss(z, y)
    moved, moved_dz = loss(z + shift, y)
    invariant = relative(value, moved) < 1e-12 and relative(dz, moved_dz) < 1e-11
    assert invariant == case["shift_invariant"]
    assert (float(dz.sum(-1).abs().max()) < 1e-15) == case["rows_sum_to_zero"]


@losses
def test_loss_weights_make_a_weighted_mean(loss, case, draw, rng):
    z, weight = draw(3, 9, 4), draw(9, 1).abs()
    y = target(case, labels(rng, (9, 4)), z)
    value, dz = loss(z, y, weight)
    single = [loss(z[:, [i]], y[[i]]) for i in range(9)]
    assert relative(value, sum(weight[i, 0] * v for i, (v, _) in enumerate(single)) / 9) < 1e-12
    assert relative(dz, torch.cat([weight[i] * d for i, (_, d) in enumerate(single)], 1) / 9) < 1e-12


@losses
def test_loss_of_a_population_is_its_members_however_they_lie_in_memory(loss, case, draw, rng):
    z, weight = draw(3, 9, 4), draw(9, 1).abs()
    y = target(case, labels(rng, (9, 4)), z)
    value, dz = loss(z, y, weight)
    strided = z.mT.contiguous().mT
    assert not strided.is_contiguous()
    alone = [torch.stack(tensors) for tensors in zip(*(loss(member, y, weight) for member in z), strict=True)]
    for other in (loss(strided, y, weight), alone):
        assert relative(value, other[0]) < 1e-14
        assert relative(dz, other[1]) < 1e-14


@pytest.mark.parametrize("word", [w for w in entries("losses") if any(n.varies for n in numbers("losses", w))])
def test_members_with_numbers_of_their_own_are_each_alone(word, draw, rng):
    loss, case = find("losses", word), declared("losses", word)
    z, weight = draw(3, 9, 4), draw(9, 1).abs()
    y = target(case, labels(rng, (9, 4)), z)
    assert set(case["numbers"]) == {number.name for number in numbers("losses", word) if number.varies}
    together = {name: torch.tensor(values, dtype=torch.float64) for name, values in case["numbers"].items()}
    value, dz = loss(z, y, weight, **together)
    for k in range(3):
        alone = {name: values[k] for name, values in case["numbers"].items()}
        leaf = z[k].clone().requires_grad_()
        reference = (case["each"](leaf, y, **alone) * weight[:, 0] / 9).sum()
        reference.backward()
        one, dz_one = loss(z[k], y, weight, **alone)
        assert max(relative(value[k], one), relative(value[k], reference.detach())) < 1e-12
        assert max(relative(dz[k], dz_one), relative(dz[k], leaf.grad)) < 1e-12


def test_softmax_of_a_small_linear_model_is_exact_to_rounding(draw):
    model, x, y = Linear(10, 10), draw(3, 10), torch.tensor([2, 7, 7])
    params = {name: 0.1 * draw(*tensor.shape) for name, tensor in model.init([0]).items()}
    _, grads, _ = classify(model, [(softmax, 1)])(params, {}, Batch(x, y, 1.0, {}))
    w, b = (params[f"scores.{name}"][0].clone().requires_grad_() for name in ("weight", "bias"))
    torch.nn.functional.cross_entropy(x @ w.T + b, y).backward()
    assert relative(grads["scores.weight"][0], w.grad) < 1e-14
    assert relative(grads["scores.bias"][0], b.grad) < 1e-14
