"""Batch normalization against torch's module: values, gradients and running statistics, in training and prediction."""

import pytest
import torch
from torch.nn import functional

from tenfold.engine.layers.batch_norm import batch_norm
from tenfold.errors import UsageError


def normalized(x, gain, bias, mean, variance, training=True, momentum=0.1):
    return torch.stack(
        [
            functional.batch_norm(x[k], mean[k].clone(), variance[k].clone(), gain[k], bias[k], training, momentum)
            for k in range(len(x))
        ]
    )


def case(x, training):
    statistics = {"mean": "PC", "variance": "PC"}
    numbers = {"training": training}
    return {"x": x, "weights": ("PC", "PC"), "noise": statistics, "numbers": numbers, "reference": normalized}


CASES = {
    "images in training": case("PBCUV", True),
    "rows in training": case("PBC", True),
    "images in prediction": case("PBCUV", False),
    "rows in prediction": case("PBC", False),
}


@pytest.mark.parametrize("momentum", [0.1, 0.4])
def test_running_statistics_are_those_of_torch(momentum, draw):
    modules = [torch.nn.BatchNorm2d(3, momentum=momentum, dtype=torch.float64) for _ in range(2)]
    gain, bias = draw(2, 3), draw(2, 3)
    statistics = torch.zeros(2, 3, dtype=torch.float64), torch.ones(2, 3, dtype=torch.float64)
    for _ in range(5):
        x = 3 + 2 * draw(2, 4, 3, 5, 5)
        before = [tensor.clone() for tensor in statistics]
        _, _, after = batch_norm(x, gain, bias, *statistics, momentum=momentum)
        assert all(torch.equal(a, b) for a, b in zip(before, statistics, strict=True))
        statistics = after
        for k, module in enumerate(modules):
            module(x[k])
    for k, module in enumerate(modules):
        torch.testing.assert_close(statistics[0][k], module.running_mean, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(statistics[1][k], module.running_var, rtol=1e-12, atol=1e-12)


def test_a_prediction_leaves_the_statistics_alone(draw):
    mean, variance = draw(1, 3), draw(1, 3).abs()
    _, _, after = batch_norm(draw(1, 4, 3, 5, 5), draw(1, 3), draw(1, 3), mean, variance, training=False)
    assert torch.equal(after[0], mean)
    assert torch.equal(after[1], variance)


def test_a_single_value_has_no_variance(draw):
    one = draw(1, 3)
    with pytest.raises(
        UsageError, match=r"more than one value a channel.*choose a --batch-size that leaves no last batch"
    ):
        batch_norm(draw(1, 1, 3), one, one, one, one.abs())
    assert batch_norm(draw(1, 1, 3), one, one, one, one.abs(), training=False)[0].isfinite().all()
