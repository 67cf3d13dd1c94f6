"""Whether multiplying in bfloat16 moves a member's test accuracy: CIFAR-10, linear softmax, 16 rates, three epochs.

Both precisions see the same batches from the same first weights. Beside them, how much a rate's accuracy moves by
itself: float32 again, its first weights larger by a thousandth. Budget: 0.3 points for every member. Needs the real
data (TENFOLD_DATA, or they are downloaded).
"""

from collections import deque

import torch

import tenfold
from tenfold.choices import members
from tenfold.data.batches import Changes, Part, sampler
from tenfold.data.standardizations import pixel
from tenfold.engine import loop
from tenfold.engine.population import assemble, built, first_params
from tenfold.recipe import Recipe
from tenfold.trained.evaluate import evaluate

RATES = tuple(float(f"{rate:.4g}") for rate in torch.logspace(-4, -1, 16))
BATCH, STEPS, LARGEST, CPU = 100, 1500, 0.3, torch.device("cpu")


def accuracies(dataset: tenfold.Dataset, precision: str, scale: float = 1.0) -> list[float]:
    """Test accuracy of every member in percent. scale: factor on the first weights."""
    choices = {"learning_rate": RATES, "batch_size": BATCH, "precision": precision, "initializer_scale": scale}
    recipe = Recipe(data="cifar10", **choices)
    train, test = dataset.parts["train"], dataset.parts["test"]
    factor, offset = (t.float() for t in pixel(dataset.images, train, dataset.scale))
    own = Part(dataset.images, dataset.labels, train, factor, offset)
    model, settings = built(recipe, own.image_shape, 10), members(recipe)
    pieces = assemble(recipe, settings, model, STEPS, STEPS // 3, CPU)
    state = loop.start(first_params(recipe, settings, model, CPU), pieces.optimizer)
    batches = sampler(own, BATCH, 0, "shuffle", Changes(), model.takes, model.noise)
    steps = loop.train(pieces.objective, pieces.optimizer, pieces.rate, batches, state, STEPS)
    last = deque(steps, 1)[0].state
    # Scored wide, as a sweep's winner is: what moves is the weights.
    wide = built(recipe.model_copy(update={"precision": "float32"}), own.image_shape, 10)
    return (100 * evaluate(wide, last.params, own._replace(rows=test), pieces.losses).accuracy).tolist()


if __name__ == "__main__":
    dataset = tenfold.load("cifar10")
    wide, narrow = (accuracies(dataset, precision) for precision in ("float32", "bfloat16"))
    again = accuracies(dataset, "float32", 1.001)
    print("learning rate   float32   bfloat16   points   float32, other first weights")
    for rate, a, b, c in zip(RATES, wide, narrow, again, strict=True):
        print(f"{rate:13.4g} {a:9.2f} {b:10.2f} {b - a:+8.2f} {c - a:+30.2f}")
    worst = max(abs(b - a) for a, b in zip(wide, narrow, strict=True))
    print(f"largest {worst:.2f} points, budget {LARGEST}: {'met' if worst <= LARGEST else 'MISSED'}")
