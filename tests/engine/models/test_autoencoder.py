"""An encoder, its code, and the same widths back."""

import torch
from torch.nn import functional

from tenfold.engine.models.autoencoder import Autoencoder

ACTIVATIONS = {
    "relu": torch.relu,
    "leaky_relu": functional.leaky_relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "identity": lambda x: x,
}


def through(params, x, names, activation, last_is_linear=True):
    """What one member after the other makes of x with the layers of these names."""
    outputs = []
    for k in range(len(params["encoder1.bias"])):
        h = x
        for name in names:
            h = functional.linear(h, params[f"{name}.weight"][k], params[f"{name}.bias"][k])
            if name != names[-1] or not last_is_linear:
                h = ACTIVATIONS[activation](h)
        outputs.append(h)
    return torch.stack(outputs)


def layers(params, half):
    return sorted({name.partition(".")[0] for name in params if name.startswith(half)})


def case(hidden, activation):
    def reconstruction(params, x, noise):
        return through(params, x, [*layers(params, "encoder"), *layers(params, "decoder")], activation)

    return {"shapes": {"inputs": 7, "hidden": hidden, "activation": activation}, "reference": reconstruction}


CASES = {word: case((6, 5, 3), word) for word in ACTIVATIONS} | {
    "one layer": case((4,), "relu"),
    "four layers": case((6, 5, 4, 2), "tanh"),
    "wider than its inputs": case((9, 8), "relu"),
}


def test_it_narrows_to_its_code_and_widens_again():
    shapes = Autoencoder(784, (256, 128, 32)).shapes()
    widths = [(784, 256), (256, 128), (128, 32), (32, 128), (128, 256), (256, 784)]
    assert [shape[::-1] for name, shape in shapes.items() if name.endswith("weight")] == widths


def test_the_code_is_what_the_encoder_gives_after_its_activation(draw):
    model, x = Autoencoder(7, (6, 3), "tanh"), draw(9, 7)
    params = model.init([1, 2])
    code = model.encode(params, x)
    assert code.shape == (2, 9, 3)
    wanted = through(params, x, layers(params, "encoder"), "tanh", last_is_linear=False)
    torch.testing.assert_close(code, wanted, rtol=1e-12, atol=1e-14)
