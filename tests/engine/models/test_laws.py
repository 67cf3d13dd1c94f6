"""The laws of models, over every case that an entry declares."""

import pytest
import torch

from tenfold.engine.chain import through
from tenfold.rooms import names
from tests.engine.cases import over, relative

models = pytest.mark.parametrize(("make", "case"), over("models"))


def prepared(make, case, draw, rng, members=3):
    model = make(**case["shapes"])
    params = model.init(list(range(members)), "he")
    for name, tensor in params.items():
        if name.endswith("bias") or not tensor.any():
            tensor.copy_(draw(*tensor.shape) * 0.1)
    noise = {name: torch.from_numpy(rng.random(shape)) for name, shape in model.noise(9).items()}
    x = draw(9, *model.takes)
    return model, params, model.buffers(members, draw(9, *model.takes)), x, noise


@models
def test_model_scores_and_pullback_are_reference_and_autograd(make, case, draw, rng):
    model, params, buffers, x, noise = prepared(make, case, draw, rng)
    scores, pull, _ = model.forward(params, buffers, x, noise)
    leaves = {name: tensor.clone().requires_grad_() for name, tensor in params.items()}
    reference = case["reference"](leaves | buffers, x, noise)
    dz = draw(*scores.shape)
    _, grads = pull(dz)
    assert relative(scores, reference.detach()) < 1e-12
    assert {n: g.shape for n, g in grads.items()} == {n: p.shape for n, p in params.items()}
    for name, wanted in zip(leaves, torch.autograd.grad(reference, leaves.values(), dz), strict=True):
        assert relative(grads[name], wanted) < 1e-12


@models
def test_model_of_a_population_is_its_members(make, case, draw, rng):
    model, params, buffers, x, noise = prepared(make, case, draw, rng)
    scores, pull, after = model.forward(params, buffers, x, noise)
    dz = draw(*scores.shape)
    _, grads = pull(dz)
    for k in range(3):
        of_member = ({n: p[k : k + 1] for n, p in group.items()} for group in (params, buffers))
        alone, pull_k, after_k = model.forward(*of_member, x, noise)
        assert all(relative(after[name][k], after_k[name][0]) < 1e-12 for name in buffers)
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
    weights = [name for name in plain if name.endswith("weight")]
    assert all(torch.equal(scaled[n], plain[n] * scale.view(-1, *[1] * (plain[n].dim() - 1))) for n in weights)


@models
def test_model_predicts_what_it_computes_without_noise(make, case, draw, rng):
    model, params, buffers, x, _ = prepared(make, case, draw, rng)
    predicted = model.predict(params, buffers, x)
    assert torch.equal(predicted, model.predict(params | buffers, {}, x))
    if "prediction" in case:
        assert relative(predicted, case["prediction"](params | buffers, x, {})) < 1e-12
    else:
        assert torch.equal(predicted, model.forward(params, buffers, x, {})[0])


@models
def test_model_links_are_the_layers_that_it_predicts_by(make, case, draw, rng):
    model, params, buffers, x, _ = prepared(make, case, draw, rng, members=1)
    scores, pull, after = through(model.links({}, training=False), params, buffers, x)
    assert torch.equal(scores, model.predict(params, buffers, x))
    assert all(torch.equal(after[name], tensor) for name, tensor in buffers.items())
    seen, dz = x.clone().requires_grad_(), draw(*scores.shape)
    (wanted,) = torch.autograd.grad(model.predict(params, buffers, seen), seen, dz)
    assert relative(pull(dz, need_dx=True)[0], wanted) < 1e-12


@models
def test_model_filters_meet_the_image(make, case, draw):
    model = make(**case["shapes"])
    if model.filters:
        tensors = model.init([0]) | model.buffers(1, draw(5, *model.takes))
        assert tensors[model.filters].shape[2] == model.takes[0]
