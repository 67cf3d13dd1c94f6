"""The laws, written once over every entry of a room; what they need to know of one, its mirror file says in CASES."""

import importlib
import importlib.util
import math
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from tenfold.engine import products
from tenfold.engine.clipping import clip
from tenfold.engine.losses.softmax import softmax
from tenfold.engine.models.linear import Linear
from tenfold.engine.tasks.classify import classify
from tenfold.engine.types import Batch
from tenfold.errors import UsageError
from tenfold.rooms import find, names
from tenfold.seeds import generator

ROOMS = ("layers", "losses", "models", "optimizers", "augmentations", "tasks")
MODULES = ("penalties", "initializers", "schedules", "standardizations")
SIZES = {"P": 3, "B": 5, "I": 7, "O": 4, "H": 6}
H = 1e-6


def declared(room, word):
    """What the mirror file says of an entry, None where it is missing."""
    package = "data" if room in ("augmentations", "standardizations") else "engine"
    name = f"tests.{package}.{room}.test_{word}" if room in ROOMS else f"tests.{package}.test_{room}"
    if not importlib.util.find_spec(name):
        return None
    cases = getattr(importlib.import_module(name), "CASES", None)
    return cases if room in ROOMS or cases is None else cases.get(word)


def entries(room):
    return [word for word in names(room) if declared(room, word)]


def over(room, keep=lambda case: True):
    """Every case of every entry of a room."""
    return [
        pytest.param(find(room, word), case, id=f"{word}: {name}")
        for word in entries(room)
        for name, case in declared(room, word).items()
        if keep(case)
    ]


def relative(a, n):
    """Relative error of two gradients: max|a − n| / max(1e-8, max|a| + max|n|)."""
    return float((a - n).abs().max() / max(1e-8, float(a.abs().max() + n.abs().max())))


@pytest.mark.parametrize("entry", [(room, word) for room in (*ROOMS, *MODULES) for word in names(room)], ids="/".join)
def test_entry_declares_its_cases(entry):
    room, word = entry
    where = f"test_{word}.py" if room in ROOMS else f"test_{room}.py"
    assert declared(room, word), f"{room}/{word} is under no law: declare CASES in {where}"


# Layers


def arguments(case, draw, rng, at_kinks=False):
    """x, weights and bound numbers of a case; x away from its kinks, or with every other number exactly on one."""
    x = draw(*(SIZES[letter] for letter in case["x"]))
    for kink in case.get("kinks", ()):
        x = torch.where((x - kink).abs() < 0.01, x + 0.1, x)
        if at_kinks:
            x.view(-1)[::2] = kink
    weights = [draw(*(SIZES[letter] for letter in shape)) for shape in case.get("weights", ())]
    draws = {name: rng.random([SIZES[letter] for letter in shape]) for name, shape in case.get("noise", {}).items()}
    noise = {name: torch.from_numpy(np.floor(10 * u) / 10 if at_kinks else u) for name, u in draws.items()}
    return x, weights, noise | case.get("numbers", {})


@pytest.mark.parametrize("at_kinks", [False, True], ids=["smooth", "kinks"])
@pytest.mark.parametrize(("layer", "case"), over("layers"))
def test_layer_and_pullback_are_reference_and_autograd(layer, case, at_kinks, draw, rng):
    x, weights, bound = arguments(case, draw, rng, at_kinks)
    y, pull = layer(x, *weights, **bound)
    leaves = [tensor.clone().requires_grad_() for tensor in (x, *weights)]
    reference = case["reference"](*leaves, **bound)
    dy = draw(*y.shape)
    assert relative(y, reference.detach()) < 1e-12
    for ours, oracle in zip(pull(dy, need_dx=True), torch.autograd.grad(reference, leaves, dy), strict=True):
        assert relative(ours, oracle) < 1e-12


@pytest.mark.parametrize(("layer", "case"), over("layers"))
def test_layer_pullback_is_the_slope_along_a_random_direction(layer, case, draw, rng):
    x, weights, bound = arguments(case, draw, rng)
    tensors = [x, *weights]
    directions = [draw(*tensor.shape) for tensor in tensors]
    y, pull = layer(*tensors, **bound)
    dy = draw(*y.shape)
    up, down = (
        layer(*(t + sign * H * v for t, v in zip(tensors, directions, strict=True)), **bound)[0] for sign in (1, -1)
    )
    slope = float(((up - down) / (2 * H) * dy).sum())
    ours = sum(float((g * v).sum()) for g, v in zip(pull(dy, need_dx=True), directions, strict=True))
    assert abs(ours - slope) < 1e-7 * max(1, abs(slope))


@pytest.mark.parametrize(("layer", "case"), over("layers", lambda case: "P" in case["x"] or "weights" in case))
def test_layer_of_a_population_is_its_members(layer, case, draw, rng):
    x, weights, bound = arguments(case, draw, rng)
    y, pull = layer(x, *weights, **bound)
    dy = draw(*y.shape)
    dx, *dweights = pull(dy, need_dx=True)
    shared, total = "P" not in case["x"], torch.zeros_like(x)
    for k in range(SIZES["P"]):
        one = slice(k, k + 1)
        y_k, pull_k = layer(x if shared else x[one], *(w[one] for w in weights), **bound)
        dx_k, *dweights_k = pull_k(dy[one], need_dx=True)
        total[... if shared else one] += dx_k
        for ours, alone in zip((y, *dweights), (y_k, *dweights_k), strict=True):
            assert relative(ours[one], alone) < 1e-12
    assert relative(dx, total) < 1e-12


@pytest.mark.parametrize(("layer", "case"), over("layers"))
def test_layer_is_pure_and_leaves_out_what_is_not_needed(layer, case, draw, rng):
    x, weights, bound = arguments(case, draw, rng)
    y, pull = layer(x, *weights, **bound)
    dy = draw(*y.shape)
    given = [tensor for tensor in (x, *weights, y, dy, *bound.values()) if isinstance(tensor, torch.Tensor)]
    before = [tensor.clone() for tensor in given]
    first, second, without = pull(dy, need_dx=True), pull(dy), pull(dy, need_dx=False)
    assert all(torch.equal(a, b) for a, b in zip(given, before, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert without[0] is None
    assert all(torch.equal(a, b) for a, b in zip(first[1:], without[1:], strict=True))


# Losses

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


def test_softmax_of_a_small_linear_model_is_exact_to_rounding(draw):
    model, x, y = Linear(10, 10), draw(3, 10), torch.tensor([2, 7, 7])
    params = {name: 0.1 * draw(*tensor.shape) for name, tensor in model.init([0]).items()}
    _, grads, _ = classify(model, [(softmax, 1)])(params, {}, Batch(x, y, 1.0, {}))
    w, b = (params[f"scores.{name}"][0].clone().requires_grad_() for name in ("weight", "bias"))
    torch.nn.functional.cross_entropy(x @ w.T + b, y).backward()
    assert relative(grads["scores.weight"][0], w.grad) < 1e-14
    assert relative(grads["scores.bias"][0], b.grad) < 1e-14


# Models

models = pytest.mark.parametrize(("make", "case"), over("models"))


def prepared(make, case, draw, rng, members=3):
    model = make(**case["shapes"])
    params = model.init(list(range(members)), "he")
    for name, tensor in params.items():
        if name.endswith("bias"):
            tensor.copy_(draw(*tensor.shape) * 0.1)
    noise = {name: torch.from_numpy(rng.random(shape)) for name, shape in model.noise(9).items()}
    return model, params, draw(9, case["shapes"]["inputs"]), noise


@models
def test_model_scores_and_pullback_are_reference_and_autograd(make, case, draw, rng):
    model, params, x, noise = prepared(make, case, draw, rng)
    scores, pull, _ = model.forward(params, {}, x, noise)
    leaves = {name: tensor.clone().requires_grad_() for name, tensor in params.items()}
    reference = case["reference"](leaves, x, noise)
    dz = draw(*scores.shape)
    _, grads = pull(dz)
    assert relative(scores, reference.detach()) < 1e-12
    assert {n: g.shape for n, g in grads.items()} == {n: p.shape for n, p in params.items()}
    for name, wanted in zip(leaves, torch.autograd.grad(reference, leaves.values(), dz), strict=True):
        assert relative(grads[name], wanted) < 1e-12


@models
def test_model_of_a_population_is_its_members(make, case, draw, rng):
    model, params, x, noise = prepared(make, case, draw, rng)
    scores, pull, _ = model.forward(params, {}, x, noise)
    dz = draw(*scores.shape)
    _, grads = pull(dz)
    for k in range(3):
        alone, pull_k, _ = model.forward({n: p[k : k + 1] for n, p in params.items()}, {}, x, noise)
        _, grads_k = pull_k(dz[k : k + 1])
        assert relative(scores[k], alone[0]) < 1e-12
        assert all(relative(grads[name][k], grads_k[name][0]) < 1e-12 for name in grads)


@models
@pytest.mark.parametrize("initializer", names("initializers"))
def test_model_member_depends_on_its_own_seed_alone(make, case, initializer):
    model, seeds = make(**case["shapes"]), [5, 2**32 + 1, 0, 5]
    params = model.init(seeds, initializer)
    for k, seed in enumerate(seeds):
        alone = model.init([seed], initializer)
        assert all(torch.equal(params[name][k], alone[name][0]) for name in params)
    weight = next(iter(params.values()))
    assert torch.equal(weight[0], weight[3])
    assert initializer == "zero" or not torch.equal(weight[0], weight[1])


@models
def test_model_scale_is_a_factor_on_the_weights_of_each_member(make, case):
    model, scale = make(**case["shapes"]), torch.tensor([0.0, 0.5, 2.0], dtype=torch.float64)
    plain, scaled = model.init([1, 2, 3], "he"), model.init([1, 2, 3], "he", scale)
    assert all(torch.equal(scaled[n], plain[n] * scale.view(-1, *[1] * (plain[n].dim() - 1))) for n in plain)


@models
def test_model_predicts_what_it_computes_without_noise(make, case, draw, rng):
    model, params, x, _ = prepared(make, case, draw, rng)
    assert torch.equal(model.predict(params, {}, x), model.forward(params, {}, x, {})[0])


# Optimizers


def descend(optimizer, params, grads, rate):
    params = {name: tensor.clone() for name, tensor in params.items()}
    memory = optimizer.init(params)
    for step, grad in enumerate(grads):
        optimizer.update(params, {name: tensor.clone() for name, tensor in grad.items()}, memory, rate, step)
    return params


# A member's weights, and steps: one piece of the cache, several members to a piece, several pieces to a member.
PIECES = {"one piece": ((4, 5), 50), "groups of members": ((400, 250), 3), "parts of a member": ((700, 400), 3)}
pieces = pytest.mark.parametrize(("shape", "steps"), PIECES.values(), ids=PIECES)


def walk(draw, shape=(4, 5), steps=5):
    """Parameters of three members and the gradients of some steps, some of them zero in places."""
    params = {"a.weight": draw(3, *shape), "a.bias": draw(3, 4)}
    return params, [{name: draw(*p.shape) * (draw(*p.shape) > -1) for name, p in params.items()} for _ in range(steps)]


@pieces
@pytest.mark.parametrize(("make", "case"), over("optimizers", lambda case: "torch" in case))
def test_optimizer_is_that_of_torch(make, case, shape, steps, draw):
    params, grads = walk(draw, shape, steps)
    ours = descend(make(**case["options"]), params, grads, 0.03)
    leaves = {name: tensor.clone().requires_grad_() for name, tensor in params.items()}
    theirs = case["torch"](list(leaves.values()), 0.03)
    for grad in grads:
        for name, leaf in leaves.items():
            leaf.grad = grad[name].clone()
        theirs.step()
    assert all(relative(ours[name], leaves[name].detach()) < 1e-12 for name in params)


def built(make, options, member=None):
    """An optimizer of several members, or of one of them; a tuple is a number for each."""
    pick = lambda v: torch.tensor(v, dtype=torch.float64) if member is None else v[member]  # noqa: E731
    return make(**{name: pick(value) if isinstance(value, tuple) else value for name, value in options.items()})


@pieces
@pytest.mark.parametrize(("make", "case"), over("optimizers"))
def test_optimizer_of_a_population_is_its_members(make, case, shape, steps, draw):
    params, grads = walk(draw, shape, steps)
    rates = torch.tensor([0.1, 0.01, 0.001], dtype=torch.float64)
    together = descend(built(make, case["options"]), params, grads, rates)
    for k in range(3):
        own = [{name: t[k : k + 1] for name, t in group.items()} for group in (params, *grads)]
        alone = descend(built(make, case["options"], k), own[0], own[1:], float(rates[k]))
        assert all(relative(together[name][k], alone[name][0]) < 1e-12 for name in params)


@pytest.mark.parametrize(("make", "case"), over("optimizers"))
def test_optimizer_takes_no_step_without_a_gradient(make, case, draw):
    params, grads = walk(draw)
    still = [{name: torch.zeros_like(tensor) for name, tensor in grad.items()} for grad in grads]
    after = descend(built(make, case["options"]), params, still, 0.1)
    assert all(torch.equal(after[name], params[name]) for name in params)


# Augmentations

AUGMENTATIONS = [
    pytest.param(find("augmentations", word), declared("augmentations", word), id=word)
    for word in entries("augmentations")
]


@pytest.mark.parametrize("kind", [torch.uint8, torch.float32], ids=str)
@pytest.mark.parametrize("shape", [(12, 3, 4, 5), (12, 1, 8, 8), (1, 3, 2, 7)], ids=str)
@pytest.mark.parametrize(("augment", "case"), AUGMENTATIONS)
def test_augmentation_treats_every_image_by_its_own_noise(augment, case, shape, kind, rng):
    images = torch.from_numpy(rng.integers(0, 256, shape)).to(kind)
    noise = case["noise"](rng, len(images))
    once = augment(images.clone(), noise)
    assert once.dtype == kind
    assert torch.equal(once, torch.stack([case["each"](image, u) for image, u in zip(images, noise, strict=True)]))
    assert torch.equal(augment(images.clone(), torch.full_like(noise, case["none"])), images)
    if case["own_inverse"]:
        assert torch.equal(augment(once.clone(), noise), images)


# Clipping, products, seeds


@pytest.mark.parametrize("bound", [0.5, 3.0, 1e6, (0.5, 3.0, math.inf)], ids=str)
def test_clipping_is_that_of_torch_for_each_member(bound, draw):
    grads = {"w": draw(3, 4, 5), "b": draw(3, 4)}
    own = bound if isinstance(bound, tuple) else (bound,) * 3
    leaves = [[torch.zeros_like(grad[k]).requires_grad_() for grad in grads.values()] for k in range(3)]
    for k, member in enumerate(leaves):
        for leaf, grad in zip(member, grads.values(), strict=True):
            leaf.grad = grad[k].clone()
        torch.nn.utils.clip_grad_norm_(member, own[k])
    factor = clip(grads, torch.tensor(bound, dtype=torch.float64) if isinstance(bound, tuple) else bound)
    assert factor.shape == (3,)
    for position, grad in enumerate(grads.values()):
        assert relative(grad, torch.stack([member[position].grad for member in leaves])) < 1e-14


def test_who_is_not_clipped_keeps_a_gradient_whose_norm_overflows():
    grads = {"weight": torch.full((2, 3), 1e30)}
    factor = clip(grads, torch.tensor([math.inf, 1.0]))
    assert factor.tolist() == [1.0, 0.0]
    assert grads["weight"].tolist() == torch.tensor([[1e30] * 3, [0.0] * 3]).tolist()


PRODUCTS = [(1, 1, 1), (3, 5, 7), (100, 3072, 10), (640, 3072, 100), (257, 129, 513), (2048, 64, 32), (17, 8192, 33)]
VIEWS = {
    "plain": lambda t: t,
    "transposed": lambda t: t.mT.contiguous().mT,
    "every other column": lambda t: torch.stack((t, -t), -1).flatten(-2)[..., ::2],
    "expanded": lambda t: t[..., :1, :].expand(t.shape),
}


PAIRS = [("plain", "plain"), *((view, "plain") for view in VIEWS if view != "plain"), ("plain", "transposed")]


# What a route does for a view does not depend on the size, and the largest takes it seconds.
SIZED = [(size, pair) for size in PRODUCTS for pair in PAIRS if pair == PAIRS[0] or math.prod(size) < 1e8]


@pytest.mark.parametrize(("size", "views"), SIZED, ids=str)
@pytest.mark.parametrize("route", products.ROUTES)
def test_every_product_route_agrees_to_rounding(route, size, views, draw):
    m, k, n = size
    for lead in ((), (2,)):
        a, b = (VIEWS[v](draw(*lead, rows, k).float()) for v, rows in zip(views, (m, n), strict=True))
        with products.using(route):
            ours = products.product(a, b.mT)
        wanted = a.double() @ b.double().mT
        bound = 2**-23 * k**0.5 * 4 * float(a.norm(dim=-1).max() * b.norm(dim=-1).max())
        assert ours.dtype == a.dtype
        assert ours.shape == wanted.shape
        assert float((ours - wanted).abs().max()) < bound


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16], ids=str)
@pytest.mark.parametrize("route", products.ROUTES)
def test_every_product_route_keeps_other_types(route, dtype, draw):
    a, b = draw(300, 200).to(dtype), draw(40, 200).to(dtype)
    with products.using(route):
        ours = products.product(a, b.mT)
    assert ours.dtype == dtype
    assert relative(ours.double(), a.double() @ b.double().mT) < torch.finfo(dtype).eps


def test_product_routes_are_chosen_by_name_and_given_back():
    before = products.route()
    with products.using("torch"):
        assert products.route() == "torch"
    assert products.route() == before
    with pytest.raises(UsageError, match="did you mean 'onednn'"), products.using("onednm"):
        pass


STREAM = """
from tenfold.seeds import generator
print(generator(7, "order", 3).bytes(16).hex(), generator(7, "order", 3).random())
"""


def test_a_stream_is_the_same_in_fresh_processes():
    here = f"{generator(7, 'order', 3).bytes(16).hex()} {generator(7, 'order', 3).random()}"
    for seed in ("1", "2"):
        env = os.environ | {"PYTHONHASHSEED": seed}
        fresh = subprocess.run([sys.executable, "-c", STREAM], env=env, capture_output=True, text=True, check=True)
        assert fresh.stdout.strip() == here


def test_streams_of_other_seeds_or_paths_are_others():
    paths = [(0,), (1,), (0, "a"), (0, "b"), (0, "a", 1), (0, "a", 11), (0, "a1", 1), (0, "a", "1"), (0, "a, 1")]
    drawn = {generator(*path).bytes(16) for path in paths}
    assert len(drawn) == len(paths)


def test_a_stream_is_uniform():
    drawn = generator(0, "uniform").random(100_000)
    assert abs(drawn.mean() - 0.5) < 5 / math.sqrt(12 * len(drawn))
    assert math.isclose(drawn.var(), 1 / 12, rel_tol=0.02)
