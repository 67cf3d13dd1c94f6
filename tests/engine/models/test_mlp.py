"""Affine maps with an activation between them."""

import pytest
import torch
from torch.nn import functional

from tenfold.engine.models.mlp import MLP
from tenfold.rooms import marked
from tests.engine.cases import declared

# Each as its own mirror file computes it.
ACTIVATIONS = {
    word: next(iter(declared("layers", word).values()))["reference"] for word in marked("layers", "ACTIVATION")
}


def network(activation, dropout=0.0):
    """Scores as one member after the other computes them."""

    def scores(params, x, noise):
        *inside, last = dict.fromkeys(name.partition(".")[0] for name in params)
        outputs = []
        for k in range(len(params[f"{last}.bias"])):
            h = x
            for name in inside:
                h = ACTIVATIONS[activation](
                    functional.linear(h, params[f"{name}.weight"][k], params[f"{name}.bias"][k])
                )
                if f"{name}.dropout" in noise:
                    h = h * (noise[f"{name}.dropout"] >= dropout) / (1 - dropout)
            outputs.append(functional.linear(h, params[f"{last}.weight"][k], params[f"{last}.bias"][k]))
        return torch.stack(outputs)

    return scores


def case(hidden, activation, dropout=0.0, classes=4, embedding=0):
    shapes = {"inputs": 7, "classes": classes, "hidden": hidden, "activation": activation, "dropout": dropout}
    return {"shapes": shapes | {"embedding": embedding}, "reference": network(activation, dropout)}


CASES = {word: case((6, 5), word) for word in ACTIVATIONS} | {
    "one layer": case((5,), "relu"),
    "no layer": case((), "relu"),
    "five layers": case((6, 5, 4, 3, 6), "tanh"),
    "dropout": case((6, 5), "relu", 0.4),
    "embedding": case((6, 5), "tanh", 0.4, embedding=3),
    "encoder": case((6, 5), "relu", 0.4, classes=0, embedding=3),
}


def test_every_activation_is_compared():
    assert {"relu", "leaky_relu", "sigmoid", "tanh", "identity"} <= set(ACTIVATIONS) <= set(CASES)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_it_asks_for_noise_only_where_it_drops(dropout):
    wanted = {"hidden1.dropout": (9, 6), "hidden2.dropout": (9, 5)} if dropout else {}
    assert MLP(7, 4, (6, 5), dropout=dropout).noise(9) == wanted
