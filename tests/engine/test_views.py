"""What each member sees: its half of every pair of scores, and the way back."""

import torch

from tenfold.engine.types import Batch
from tenfold.engine.views import of_member, views


def batch_of(mirrored):
    return Batch(torch.zeros(10, 2), torch.zeros(5, dtype=torch.int64), 1.0, {}, mirrored)


def test_the_choice_and_its_pullback_are_those_of_autograd(draw, rng):
    mirrored, scores, dz = torch.from_numpy(rng.random((3, 5)) < 0.5), draw(3, 10, 4), draw(3, 5, 4)
    (link,) = views(batch_of(mirrored))
    z, pull = link.layer(scores)
    leaf = scores.clone().requires_grad_()
    wanted = torch.stack([torch.stack([leaf[p, b + 5 * mirrored[p, b]] for b in range(5)]) for p in range(3)])
    assert torch.equal(z, wanted.detach())
    assert torch.equal(pull(dz)[0], torch.autograd.grad(wanted, leaf, dz)[0])
    assert pull(dz, need_dx=False) == (None,)
    for k in range(3):
        (own,) = views(of_member(batch_of(mirrored), k))
        assert torch.equal(own.layer(scores[[k]])[0], z[[k]])


def test_what_is_not_finite_stays_with_what_a_member_saw(draw):
    (link,) = views(batch_of(torch.tensor([[True, False, True, False, True]])))
    _, pull = link.layer(draw(1, 10, 4))
    (dy,) = pull(torch.full((1, 5, 4), torch.nan))
    assert dy[0, :, 0].isnan().tolist() == [False, True, False, True, False, True, False, True, False, True]


def test_nothing_is_chosen_where_all_see_the_same():
    batch = batch_of(None)
    assert views(batch) == ()
    assert of_member(batch, 0) is batch
