"""Matrix products: all routes agree, and one is chosen by name."""

import math

import pytest
import torch

from tenfold.engine import products
from tenfold.errors import UsageError
from tests.engine.cases import relative

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
