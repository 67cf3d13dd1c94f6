"""An autoencoder learned from images, as tensors by name: how it is trained, what it makes of other images.

Pixels on the unit interval, less their mean image, go through the encoder to the code and back. What is minimized is
their mean squared error, on nine tenths of the training images; a tenth is held out, to see what it is on images that
were not learned from. The learning rate falls along half a cosine.
"""

__all__ = ["autoencoder_of", "encoded", "learn", "reconstructed"]

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from tenfold.data.batches import Changes, Part, inputs, sampler, steps_per_epoch
from tenfold.data.standardizations import mean_image
from tenfold.data.types import Dataset
from tenfold.engine import loop
from tenfold.engine.losses.mean_squared_error import mean_squared_error
from tenfold.engine.models.autoencoder import Autoencoder
from tenfold.engine.schedules.cosine import cosine
from tenfold.engine.tasks.reconstruct import reconstruct
from tenfold.engine.types import Params, Scalar
from tenfold.errors import UsageError
from tenfold.recipe import Recipe
from tenfold.rooms import find
from tenfold.seeds import generator

BATCH = 128
# Of ten training images one is held out.
HELD = 10
SLICE = 1000
# He's weights are too large where layers narrow: on Fashion-MNIST they silence half of the code's rectified units.
INITIALIZER = "xavier"


def learn(
    dataset: Dataset, rows: Tensor, recipe: Recipe, device: torch.device, watch: Callable[[str], None]
) -> dict[str, Tensor]:
    """Learn weights (1, O, I), biases (1, O), factor, offset (D,), the activation's word in bytes, history (epochs, 2).

    rows: positions of the training part, that nothing else is learned from. history: loss on training images, a running
    mean, and on those held out. watch: told a line an epoch. Raises UsageError where the training diverges.
    """
    held, taught = _parted(dataset, rows, recipe.seed, device)
    model = Autoencoder(len(taught.factor), recipe.encoder_hidden, recipe.encoder_activation)
    params, history = _trained(model, taught, held, recipe, watch)
    word = torch.tensor(list(recipe.encoder_activation.encode()), dtype=torch.uint8)
    beside = {"factor": taught.factor, "offset": taught.offset, "activation": word, "history": history}
    return {name: tensor.cpu() for name, tensor in {**params, **beside}.items()}


def encoded(learned: Mapping[str, Tensor], images: Tensor) -> Tensor:
    """Return codes (N, a) float32 of images (N, C, H, W) in the pixel units of the data."""
    model, weights, part = _rebuilt(learned, images)
    return torch.cat(
        [model.encode(weights, inputs(part, piece, model.takes))[0] for piece in torch.split(images, SLICE)]
    ).contiguous()


def reconstructed(learned: Mapping[str, Tensor], images: Tensor) -> Tensor:
    """Return images (N, C, H, W) and their reconstructions as (2, N, C, H, W), float32, on the unit interval."""
    model, weights, part = _rebuilt(learned, images)
    x = inputs(part, images, model.takes)
    return (torch.stack((x, model.predict(weights, {}, x)[0])) - part.offset).view(2, *images.shape)


def autoencoder_of(learned: Mapping[str, Tensor]) -> Autoencoder:
    """Return the model of these tensors."""
    depth = sum(name.startswith("encoder") and name.endswith("bias") for name in learned)
    hidden = tuple(learned[f"encoder{i}.bias"].shape[1] for i in range(1, depth + 1))
    return Autoencoder(len(learned["factor"]), hidden, bytes(learned["activation"].tolist()).decode())


def _rebuilt(learned: Mapping[str, Tensor], images: Tensor) -> tuple[Autoencoder, Params, Part]:
    """Return the model of these tensors, its weights on the images' device, and a part that standardizes images."""
    weights = {name: tensor.to(images.device) for name, tensor in learned.items()}
    model = autoencoder_of(learned)
    nothing = weights["factor"].new_zeros(0)
    return model, weights, Part(images, nothing, nothing, weights["factor"], weights["offset"])


def _parted(dataset: Dataset, rows: Tensor, seed: int, device: torch.device) -> tuple[Part, ...]:
    """Return a random tenth of the rows, one at least, and the others; pixels less the mean image of the latter."""
    order = rows[torch.from_numpy(generator(seed, "codes").permutation(len(rows)))]
    held, taught = order.tensor_split([max(1, len(rows) // HELD)])
    centered = mean_image(dataset.images, taught, dataset.scale)
    factor, offset = ((dataset.scale * moment).to(device, torch.float32) for moment in centered)
    images, labels = dataset.images.to(device), dataset.labels.to(device)
    return tuple(Part(images, labels, positions.to(device), factor, offset) for positions in (held, taught))


def _trained(
    model: Autoencoder, taught: Part, held: Part, recipe: Recipe, watch: Callable[[str], None]
) -> tuple[Params, Tensor]:
    first = {name: tensor.to(taught.factor) for name, tensor in model.init([recipe.seed], INITIALIZER).items()}
    optimizer = find("optimizers", recipe.encoder_optimizer)()
    batches = sampler(taught, BATCH, recipe.seed, "shuffle", Changes(), model.takes, model.noise)
    every, epochs = steps_per_epoch(len(taught.rows), BATCH), recipe.encoder_epochs
    top, steps = recipe.encoder_learning_rate, epochs * every

    def rate(t: int) -> Scalar:
        return top * cosine(t, steps, every)

    objective, state = reconstruct(model, mean_squared_error), loop.start(first, optimizer)
    history, total = [], taught.factor.new_zeros(1)
    for step in loop.train(objective, optimizer, rate, batches, state, steps):
        state = step.state
        if bool(state.status.any()):
            raise UsageError(
                f"encoder_learning_rate {top:g}: the autoencoder diverges in step {state.step:,}; choose a smaller one"
            )
        total += step.value.loss
        if state.step % every == 0:
            history.append((float(total) / every, _error(model, state.params, held)))
            total.zero_()
            losses = "loss {:.5f}, held out {:.5f}".format(*history[-1])
            watch(f"features: autoencoder, epoch {len(history)} of {epochs}, {losses}")
    return loop.snapshot(state).params, torch.tensor(history)


def _error(model: Autoencoder, params: Params, part: Part) -> float:
    """Mean squared error of a part's reconstructions."""
    total = 0.0
    for rows in torch.split(part.rows, SLICE):
        x = inputs(part, part.images[rows], model.takes)
        total += float(mean_squared_error(model.predict(params, {}, x), x)[0]) * len(rows)
    return total / len(part.rows)
