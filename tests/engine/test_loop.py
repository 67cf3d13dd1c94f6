"""The loop: a member is the single run, resume is bit-exact, a member that diverges is frozen, named, harms nobody."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from tenfold.data.batches import Part, batches_of, inputs, steps_per_epoch
from tenfold.data.load import load
from tenfold.engine import loop
from tenfold.engine.arrays import rows
from tenfold.engine.failure import failure
from tenfold.engine.population import assemble, built, first_params
from tenfold.engine.types import Batch
from tenfold.engine.views import of_member
from tenfold.recipe import Recipe
from tenfold.rooms import find
from tenfold.runs import checkpoint
from tenfold.seeds import generator

CPU = torch.device("cpu")
MLP = {"model": "mlp", "hidden": (24, 16)}
CONVNET = {"model": "convnet", "widths": (4, 6), "depth": 1}
# Neighbors in every way: mixed losses (not even side by side), rates, penalties, momenta, bounds, scales and seeds.
MEMBERS = [
    {"loss": "softmax", "learning_rate": 0.05, "l2": 0.0, "momentum": 0.9, "clip_norm": 0.0, "init_seed": 0},
    {"loss": "hinge", "learning_rate": 0.01, "l2": 0.01, "momentum": 0.0, "clip_norm": 0.5, "init_seed": 1},
    {"loss": "hinge", "learning_rate": 0.03, "l2": 0.0, "momentum": 0.5, "clip_norm": 0.0, "l1": 1e-3, "init_seed": 1},
    {"loss": "softmax", "learning_rate": 0.1, "l2": 0.1, "momentum": 0.0, "clip_norm": 2.0, "init_seed": 2},
    {"loss": "sigmoid", "learning_rate": 0.5, "l2": 1e-4, "momentum": 0.9, "clip_norm": 0.1, "init_seed": 3},
    {"loss": "sigmoid", "learning_rate": 0.2, "l2": 0.0, "momentum": 0.3, "clip_norm": 0.0, "initializer_scale": 0.1},
    {"loss": "hinge", "learning_rate": 0.02, "l2": 0.0, "momentum": 0.0, "clip_norm": 0.0, "init_seed": 4},
]


def made_part(images, labels, dtype, scale=1 / 16):
    width = images[0].numel()
    factor, offset = torch.full((width,), scale, dtype=dtype), torch.full((width,), -0.3, dtype=dtype)
    return Part(images, labels, torch.arange(len(labels)), factor, offset)


def digits(dtype=torch.float64):
    bundle = load_digits()
    return made_part(torch.tensor(bundle.images, dtype=torch.uint8)[:, None], torch.tensor(bundle.target), dtype)


class Training:
    """A population of these members on a part, ready to run."""

    def __init__(self, recipe, settings, part, steps):
        self.model = built(recipe, part.image_shape, 10)
        per_epoch = steps_per_epoch(len(part.rows), recipe.batch_size)
        self.population = assemble(recipe, settings, self.model, steps, per_epoch, CPU)
        self.batches, self.steps = batches_of(part, recipe, self.population.flip, self.model), steps
        params = first_params(recipe, settings, self.model, CPU)
        buffers = self.model.buffers(len(settings), inputs(part, part.images[part.rows[::9]], self.model.takes))
        self.first = loop.start(params, self.population.optimizer, buffers)

    def run(self, state=None, steps=None):
        population = self.population
        state = self.first if state is None else state
        pieces = (population.objective, population.optimizer, population.rate, self.batches)
        yield from loop.train(*pieces, state, self.steps if steps is None else steps)

    def last(self, state=None, steps=None):
        for step in self.run(state, steps):
            state = step.state
        return state

    def loss_of(self, member):
        return self.population.alone[member]


def norm_wise(a, b):
    return max(float((a[name] - b[name]).norm() / b[name].norm().clamp_min(1e-300)) for name in b if b[name].any())


def same_bits(a, b):
    return all(torch.equal(s[n], t[n]) for s, t in zip(a[1:4], b[1:4], strict=True) for n in s) and a.step == b.step


@pytest.mark.parametrize("members", [1, 2, 7])
@pytest.mark.parametrize(
    "choices",
    [
        {"model": "linear", "initializer": "zero"},
        {"model": "linear", "initializer": "random", "schedule": "cosine", "nesterov": True},
        {**MLP, "activation": "tanh", "dropout": 0.2, "sampling": "replacement"},
        {**MLP, "activation": "relu", "flip": 0.5, "schedule": "step", "decay_unit": "iterations", "warmup": 0.5},
        {**MLP, "activation": "leaky_relu", "optimizer": "adam"},
        {**CONVNET, "preset": "fast", "optimizer": "muon", "flip": 0.5, "flip_turns": "alternating", "crop": 1},
        {**CONVNET, "preset": "resnet", "cutout": 2, "mixup": 0.5},
    ],
    ids=lambda choices: "-".join(str(value) for value in choices.values()),
)
def test_a_member_of_a_population_is_the_single_run(choices, members):
    recipe, part = Recipe(precision="float64", batch_size=50, **choices), digits()
    # Adam and Muon step by their rate whatever the gradient: at rates of sgd it is chaotic, and rounding grows.
    factor = 0.02 if recipe.optimizer in ("adam", "muon") else 1.0
    settings = [member | {"learning_rate": factor * member["learning_rate"]} for member in MEMBERS[:members]]
    together = Training(recipe, settings, part, 50).last()
    order = [5, 2, 6, 0, 3, 1, 4][7 - members :] if members == 7 else list(range(members))[::-1]
    permuted = Training(recipe, [settings[k] for k in order], part, 50).last()
    for k in range(members):
        alone = Training(recipe, [settings[k]], part, 50).last()
        assert alone.step == 50
        for state, row in ((together, k), (permuted, order.index(k))):
            assert norm_wise(rows(state.params, torch.tensor([row])), alone.params) < 1e-12


FLIPS = (0.0, 0.2, 0.5, 1.0, 0.5, 0.8, 0.2)
MIRRORED = {
    "linear": {"model": "linear", "initializer": "random"},
    "mlp, dropout": {**MLP, "activation": "tanh", "dropout": 0.3, "sampling": "replacement"},
}


@pytest.mark.parametrize("choices", MIRRORED.values(), ids=MIRRORED)
def test_a_member_that_mirrors_by_its_own_probability_is_the_single_run(choices):
    recipe, part = Recipe(precision="float64", batch_size=50, **choices), digits()
    settings = [member | {"flip": p} for member, p in zip(MEMBERS, FLIPS, strict=True)]
    together = Training(recipe, settings, part, 50).last()
    for k, p in enumerate(FLIPS):
        own = rows(together.params, torch.tensor([k]))
        assert norm_wise(own, Training(recipe, [settings[k]], part, 50).last().params) < 1e-12
        unmirrored = Training(recipe, [MEMBERS[k]], part, 50).last()
        assert (norm_wise(own, unmirrored.params) > 1e-3) == (p > 0)


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_members_of_one_probability_see_one_and_the_same_batch(p):
    recipe, part = Recipe(batch_size=200, dropout=0.2, **MLP), digits(torch.float32)
    training = Training(recipe, [member | {"flip": p} for member in MEMBERS], part, 12)
    shared = Training(recipe.model_copy(update={"flip": p}), MEMBERS, part, 12)
    assert same_bits(training.last(), shared.last())
    batch, plain = training.batches(3), Training(recipe, MEMBERS, part, 12).batches(3)
    images, mirrored = plain.inputs.view(-1, 8, 8).numpy(), generator(0, "flip", 3).random(200) < p
    wanted = np.where(mirrored[:, None, None], images[:, :, ::-1], images)
    assert batch.mirrored is None
    assert np.array_equal(batch.inputs.view(-1, 8, 8).numpy(), wanted)
    assert all(torch.equal(batch.noise[name], u) for name, u in plain.noise.items())


@pytest.mark.parametrize("side", [1, 3], ids=["digits", "enlarged"])
@pytest.mark.parametrize("choices", [{"model": "linear"}, {**MLP, "activation": "tanh"}], ids=["linear", "mlp"])
def test_in_single_precision_a_member_is_the_single_run_after_an_epoch(choices, side):
    recipe, small = Recipe(precision="float32", batch_size=100, **choices), digits(torch.float32)
    # Enlarged, the images are so wide that a population and a member take different kernels.
    images = small.images.repeat_interleave(side, 2).repeat_interleave(side, 3)
    part = made_part(images, small.labels, torch.float32)
    settings = [{"loss": "softmax", "learning_rate": rate} for rate in (0.003, 0.01, 0.03, 0.1, 0.2, 0.05, 0.02)]
    steps = steps_per_epoch(len(part.rows), 100)
    together = Training(recipe, settings, part, steps).last()
    for k in range(7):
        alone = Training(recipe, [settings[k]], part, steps).last()
        assert norm_wise(rows(together.params, torch.tensor([k])), alone.params) < 1e-5


RESUMED = {
    "dropout, flip": {**MLP, "dropout": 0.3, "flip": 0.5},
    "replacement, adam": {**MLP, "sampling": "replacement", "optimizer": "adam", "dropout": 0.1},
    "nesterov, cosine": {"model": "linear", "nesterov": True, "schedule": "cosine", "warmup": 1.0},
    "convnet, bfloat16": {**CONVNET, "optimizer": "muon", "precision": "bfloat16", "crop": 1, "dropout": 0.2},
    "residual": {**CONVNET, "preset": "resnet", "flip": 0.5, "brightness": 0.2},
}


@pytest.mark.parametrize("choices", RESUMED.values(), ids=RESUMED)
def test_resume_is_bit_exact(choices, tmp_path):
    recipe, part = Recipe(batch_size=200, **choices), digits(torch.float32)
    some = MEMBERS[:2] if recipe.model == "convnet" else MEMBERS  # members of a network take turns
    whole = Training(recipe, some, part, 40)
    kept = {}
    for state, _ in whole.run():
        if state.step in (1, 9, 17):  # 9 is the last step of an epoch, a short batch
            kept[state.step] = loop.snapshot(state)
    last = loop.snapshot(state)
    for number, halfway in kept.items():
        checkpoint.save_checkpoint(tmp_path, number, checkpoint.Checkpoint(halfway, {}, {}))
        _, loaded, warning = checkpoint.load_checkpoint(tmp_path)
        assert warning == ""
        for begin in (halfway, loaded.state):
            assert same_bits(Training(recipe, some, part, 40).last(begin), last)


def digest(state):
    found = hashlib.sha256()
    for group in state[1:4]:
        for name in sorted(group):
            found.update(name.encode() + group[name].contiguous().numpy().tobytes())
    return found.hexdigest()


def digests():
    """Of what two seeded trainings end with, one for each way to sample."""
    recipes = [Recipe(batch_size=100, dropout=0.2, flip=0.5, sampling=s, **MLP) for s in ("shuffle", "replacement")]
    return [digest(Training(recipe, MEMBERS, digits(torch.float32), 30).last()) for recipe in recipes]


FRESH = "import torch, test_loop; torch.set_num_threads(1); print(test_loop.digests())"


def test_the_same_seed_gives_the_same_bits_in_fresh_processes():
    for hash_seed in ("1", "2"):
        env = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        command, here = [sys.executable, "-c", FRESH], Path(__file__).parent
        fresh = subprocess.run(command, env=env, cwd=here, capture_output=True, text=True, check=True)
        assert fresh.stdout.strip() == str(digests())


DEEP = {"model": "mlp", "hidden": (256, 128, 64, 32), "initializer": "normal", "batch_size": 128}


def noise_images():
    rng = np.random.default_rng(0)
    images = torch.from_numpy(rng.integers(0, 256, (600, 1, 28, 28), dtype=np.uint8))
    return made_part(images, torch.arange(600) % 10, torch.float32, 1 / 255)


def mnist_images(data_root):
    dataset = load("mnist", data_dir=str(data_root("mnist")), download=False)
    return made_part(dataset.images[:2000], dataset.labels[:2000], torch.float32, 1 / 255)


@pytest.fixture(scope="module", params=["made-up images", "mnist"])
def diverged(request):
    """Training whose member 1 diverges, its states, and the same with a harmless member in that place."""
    part = noise_images() if request.param != "mnist" else mnist_images(request.getfixturevalue("data_root"))
    recipe = Recipe(**DEEP)
    tame = {"loss": "softmax", "learning_rate": 0.02, "initializer_scale": 0.1}
    wild = {"loss": "softmax", "learning_rate": 0.02, "initializer_scale": 1.0, "init_seed": 1}
    trainings = [Training(recipe, [tame, middle, tame | {"init_seed": 7}], part, 14) for middle in (wild, tame)]
    states = [[loop.snapshot(step.state) for step in training.run()] for training in trainings]
    return trainings[0], [trainings[0].first, *states[0]], states[1]


def test_a_member_that_diverges_is_frozen_with_the_parameters_from_before_that_step(diverged):
    _, states, _ = diverged
    status = int(states[-1].status[1])
    assert -10 <= status < 0
    before = states[-status - 1]
    assert [int(state.status[1]) for state in states] == [0] * -status + [status] * (len(states) + status)
    for state in states[-status:]:
        assert all(torch.equal(state.params[name][1], before.params[name][1]) for name in state.params)
    assert all(bool(tensor[1].isfinite().all()) for tensor in before.params.values())


def test_the_others_bits_do_not_change_beside_a_member_that_diverges(diverged):
    _, states, harmless = diverged
    assert states[-1].status[[0, 2]].tolist() == [0, 0]
    for state, other in zip(states[1:], harmless, strict=True):
        for name in state.params:
            assert torch.equal(state.params[name][[0, 2]], other.params[name][[0, 2]])


def test_the_failure_is_named_by_step_layer_and_tensor(diverged):
    training, states, _ = diverged
    step = -int(states[-1].status[1])
    frozen, batch = rows(states[-1].params, torch.tensor([1])), training.batches(step - 1)
    named = failure(training.model, frozen, {}, batch, training.loss_of(1))
    assert named["layer"] in {link.name for link in training.model.links({})} | {"loss"}
    assert named == first_not_finite(training.model, frozen, batch)
    healthy = rows(states[-1].params, torch.tensor([0]))
    assert failure(training.model, healthy, {}, batch, training.loss_of(0)) == {"layer": "cost", "tensor": "penalty"}


def first_not_finite(model, params, batch):
    """The same found by a literal forward and backward pass of autograd, for a relu network and the softmax loss."""
    h, names = batch.inputs, [name.partition(".")[0] for name in model.shapes() if name.endswith("weight")]
    outputs = []
    for name in names:
        h = torch.nn.functional.linear(h, params[f"{name}.weight"][0], params[f"{name}.bias"][0]).requires_grad_()
        h.retain_grad()
        outputs.append((name, h))
        if not bool(h.isfinite().all()):
            return {"layer": name, "tensor": "output"}
        h = torch.relu(h) if name != "scores" else h
    loss = torch.nn.functional.cross_entropy(h, batch.targets)
    if not bool(loss.isfinite()):
        return {"layer": "loss", "tensor": "value"}
    weights = [params[f"{name}.weight"].requires_grad_() for name in names]
    raise AssertionError(f"finite up to the loss, then {[bool(w.isfinite().all()) for w in weights]}")


@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0, 1e3, 1e6, 1e9])
@pytest.mark.parametrize("rate", [0.02, 1.0, 1e6])
@pytest.mark.parametrize("activation", ["relu", "identity"])
def test_however_a_member_diverges_what_is_kept_of_it_is_finite(activation, rate, scale):
    choices = {"model": "mlp", "hidden": (8, 8, 8), "initializer": "normal", "activation": activation, "batch_size": 20}
    settings = [
        {"loss": "softmax", "learning_rate": rate, "initializer_scale": scale, "init_seed": k} for k in range(6)
    ]
    training = Training(Recipe(**choices), settings, digits(torch.float32), 30)
    state = training.last()
    for name, tensor in state.params.items():
        assert bool(tensor.isfinite().all()), f"{name}: status {state.status.tolist()}"


def poisoned(case):
    """A random network, member, step and number of it; the number becomes a NaN between two steps."""
    rng = np.random.default_rng(case)
    activation = ("relu", "leaky_relu", "sigmoid", "tanh", "identity")[case % 5]
    choices = {"dropout": 0.5 * (case % 2), "optimizer": ("sgd", "adam")[case % 3 == 0], "nesterov": case % 3 == 1}
    hidden = tuple(int(width) for width in rng.integers(2, 7, rng.integers(1, 4)))
    recipe = Recipe(model="mlp", hidden=hidden, activation=activation, batch_size=12, **choices)
    words, bounds, flips = ("softmax", "hinge", "sigmoid"), (0.0, 0.7), (0.0, 0.4, 0.8)
    settings = [
        {"loss": words[(case + k) % 3], "clip_norm": bounds[case % 2], "flip": flips[k * (case % 4 < 2)]}
        | {"momentum": 0.5, "init_seed": k}
        for k in range(3)
    ]
    return rng, recipe, settings


@pytest.mark.parametrize("block", range(10))
def test_a_nan_in_a_member_is_caught_in_that_step_and_named(block):
    part = digits(torch.float32)
    for case in range(30 * block, 30 * block + 30):
        rng, recipe, settings = poisoned(case)
        training = Training(recipe, settings, part, 6)
        member, step = int(rng.integers(3)), int(rng.integers(1, 5))
        name = sorted(training.first.params)[rng.integers(len(training.first.params))]
        for state, _ in training.run():
            if state.step == step:
                values = state.params[name][member]
                values.view(-1)[rng.integers(values.numel())] = torch.nan
                frozen = {n: tensor[member].clone() for n, tensor in state.params.items()}
        wanted = [0, 0, 0]
        wanted[member] = -(step + 1)
        assert state.status.tolist() == wanted, (case, name)
        assert all(torch.equal(state.params[n][member].nan_to_num(7), t.nan_to_num(7)) for n, t in frozen.items())
        kept = rows(state.params, torch.tensor([member]))
        named = failure(training.model, kept, {}, of_member(training.batches(step), member), training.loss_of(member))
        assert named == dict(zip(("layer", "tensor"), name.split("."), strict=True)), case
        others = [k for k in range(3) if k != member]
        assert all(bool(tensor[others].isfinite().all()) for tensor in state.params.values())


@pytest.mark.parametrize("value", [torch.inf, -torch.inf, 1e38, 1e25, 1e12], ids=str)
def test_a_member_is_frozen_where_its_loss_or_a_gradient_is_not_finite_and_only_there(value):
    part = digits(torch.float32)
    for case in range(60):
        rng, recipe, settings = poisoned(case)
        training = Training(recipe, settings, part, 1)
        member, state = int(rng.integers(3)), loop.snapshot(training.first)
        for name in rng.permutation(sorted(state.params))[:2]:
            values = state.params[name][member].view(-1)
            values[rng.integers(values.numel())] = value
        measured, grads, _ = training.population.objective(loop.snapshot(state).params, {}, training.batches(0))
        fine = (measured.loss + measured.penalty).isfinite()
        for grad in grads.values():
            fine &= grad.flatten(1).isfinite().all(1)
        assert training.last(state).status.tolist() == [0 if ok else -1 for ok in fine], case


def test_a_weight_gradient_that_overflows_alone_freezes_its_member():
    """Huge outer weights around tiny ones: the loss and every bias gradient are finite, one weight gradient is not."""
    model, sgd = find("models", "mlp")(2, 2, (2, 2), "identity"), find("optimizers", "sgd")()
    objective = find("tasks", "classify")(model, [(find("losses", "softmax"), 1)])
    eye = torch.eye(2)[None]
    params = {name: tensor.float() for name, tensor in model.init([0]).items()}
    params |= {"hidden1.weight": 1e20 * eye, "hidden2.weight": 1e-5 * eye, "scores.weight": 1e20 * eye}
    batch = Batch(torch.tensor([[1.0, 2.0], [2.0, 1.0]]), torch.tensor([0, 1]), 1.0, {})
    first = loop.start(params, sgd)
    (state, value), *_ = loop.train(objective, sgd, lambda t: 0.1, lambda t: batch, first, 1)
    assert bool(value.loss.isfinite())
    assert state.status.tolist() == [-1]
    assert all(torch.equal(state.params[name], params[name]) for name in params)


@pytest.mark.parametrize("model", ["linear", "mlp", "convnet"])
def test_a_nan_in_the_inputs_stops_every_member_in_that_step(model, rng):
    part = digits()
    recipe = Recipe(model=model, hidden=(6,), widths=(4,), precision="float64", batch_size=12)
    training = Training(recipe, MEMBERS, part, 8)
    clean = training.batches

    def batches(t):
        batch = clean(t)
        if t == 3:
            batch.inputs[5].view(-1)[int(rng.integers(64))] = torch.nan
        return batch

    training.batches = batches
    states = [loop.snapshot(step.state) for step in training.run()]
    assert states[-1].status.tolist() == [-4] * 7
    assert states[-1].step == len(states) == 4
    assert same_bits(states[-1]._replace(step=3), states[2])
    first = {"linear": "scores", "mlp": "hidden1", "convnet": "whiten"}[model]
    kept, beside = (rows(group, torch.tensor([0])) for group in (states[-1].params, states[-1].buffers))
    assert all(bool(tensor.isfinite().all()) for tensor in beside.values())
    assert failure(training.model, kept, beside, batches(3), training.loss_of(0)) == {
        "layer": first,
        "tensor": "output",
    }


def test_a_caller_stops_a_member_by_writing_its_status():
    recipe, part = Recipe(batch_size=50, optimizer="adam", **MLP), digits(torch.float32)
    plain = [loop.snapshot(step.state) for step in Training(recipe, MEMBERS, part, 12).run()]
    stopped = Training(recipe, MEMBERS, part, 12)
    for state, _ in stopped.run():
        if state.step == 5:
            state.status[2] = 5
    for group in ("params", "memory"):
        for name, tensor in getattr(state, group).items():
            assert torch.equal(tensor[2], getattr(plain[4], group)[name][2])
            others = [0, 1, 3, 4, 5, 6]
            assert torch.equal(tensor[others], getattr(plain[-1], group)[name][others])
    assert state.status.tolist() == [0, 0, 5, 0, 0, 0, 0]


def test_the_given_state_is_not_changed():
    training = Training(Recipe(batch_size=50, momentum=0.9, **MLP), MEMBERS, digits(torch.float32), 5)
    before = loop.snapshot(training.first)
    assert training.last().step == 5
    assert same_bits(training.first, before)
    assert torch.equal(training.first.status, before.status)


@pytest.mark.parametrize("status", [[3] * 7, [3, -2, 1, 1, -1, 9, 4]])
def test_it_ends_when_nobody_is_active(status):
    training = Training(Recipe(batch_size=50, **MLP), MEMBERS, digits(torch.float32), 20)
    steps = 0
    for state, _ in training.run():
        steps += 1
        if state.step == 4:
            state.status.copy_(torch.tensor(status))
    assert steps == 4
    assert list(training.run(state)) == []


def test_a_step_measures_the_loss_before_its_update():
    recipe, part = Recipe(precision="float64", batch_size=50, **MLP), digits()
    training = Training(recipe, MEMBERS, part, 4)
    params = training.first.params
    for state, value in training.run():
        batch = training.batches(state.step - 1)
        scores = training.model.predict(params, {}, batch.inputs)
        for k, member in enumerate(MEMBERS):
            wanted, _ = find("losses", member["loss"])(scores[k], batch.targets)
            torch.testing.assert_close(value.loss[k], wanted, rtol=1e-12, atol=0)
        params = {name: tensor.clone() for name, tensor in state.params.items()}
