"""A failure inside a block of layers is named by the layer in it, not by the block."""

from types import SimpleNamespace

import pytest
import torch

from tenfold.choices import members, recipe
from tenfold.engine.failure import failure
from tenfold.engine.losses.softmax import softmax
from tenfold.engine.population import built, first_params
from tenfold.engine.types import Batch, Link

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("weight", "layer"), [("conv1", "conv1"), ("conv2", "conv2"), ("aside", "aside"), ("norm1", "norm1")]
)
def test_an_output_inside_a_residual_block_is_named_by_its_layer(weight, layer, draw):
    chosen = recipe({"model": "convnet", "preset": "resnet", "widths": (4, 6), "depth": 1, "precision": "float64"})
    model = built(chosen, (1, 8, 8), 10)
    params = first_params(chosen, members(chosen), model, CPU)
    images = draw(6, 1, 8, 8)
    name = f"stage2.block1.{weight}.{'gain' if weight == 'norm1' else 'weight'}"
    params[name].fill_(1e308)  # finite itself; the sum of two such products is not
    batch = Batch(images, torch.arange(6), 1.0, {})
    named = failure(model, params, model.buffers(1, images), batch, softmax)
    assert named == {"layer": f"stage2.block1.{layer}", "tensor": "output"}


def test_of_gradients_in_a_block_the_last_layers_is_the_first(draw):
    def layer(x, *weights):
        return x, lambda dy, need_dx=True: (dy, *[w * torch.inf for w in weights])

    names = ("block.conv1.weight", "block.conv2.weight")
    links = (Link("block", layer, names, inside=lambda x, *weights: iter([("conv1", x), ("conv2", x)])),)
    model = SimpleNamespace(links=lambda noise: links)
    params = {name: draw(1, 3) for name in names}
    named = failure(model, params, {}, Batch(draw(1, 4, 3), torch.arange(4) % 3, 1.0, {}), softmax)
    assert named == {"layer": "block.conv2", "tensor": "weight gradient"}
