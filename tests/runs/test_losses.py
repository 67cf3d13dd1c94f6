"""Losses of single mini-batches: which steps are kept, and that a file gives them back."""

import numpy as np
import pytest
import torch

from tenfold.engine.arrays import rows
from tenfold.engine.types import Value
from tenfold.errors import FileError
from tenfold.runs import losses, tally


def taken(steps, members=2):
    """Losses of so many steps: member p has p + step / 10,000 in each."""
    room = losses.unseen(members)
    for step in range(1, steps + 1):
        losses.keep(room, torch.arange(members) + step / 10_000, step)
    return room


@pytest.mark.parametrize(
    ("steps", "stride"), [(1, 1), (1023, 1), (1024, 1), (1025, 2), (2048, 2), (2049, 4), (4097, 8), (9000, 16)]
)
def test_the_kept_losses_are_of_evenly_spread_steps(steps, stride):
    at, values = losses.kept(taken(steps), steps)
    np.testing.assert_array_equal(at, np.arange(stride, steps + 1, stride))
    np.testing.assert_allclose(values, np.arange(2)[:, None] + at / 10_000, atol=1e-6)
    assert len(at) <= losses.MOST


def test_no_step_leaves_nothing():
    at, values = losses.kept(losses.unseen(3), 0)
    assert at.size == values.size == 0


def test_a_tally_keeps_losses_by_member_and_one_of_an_older_version_keeps_none():
    kept = tally.new(3)
    value = Value(torch.tensor([1.0, 2.0, 4.0]), torch.ones(3), torch.zeros(3))
    tally.add(kept, value, 1)
    _, values = losses.kept(rows(kept, torch.tensor([0, 2]))["losses"], 1)
    assert values.tolist() == [[1.0], [4.0]]
    del kept["losses"]
    tally.add(kept, value, 2)
    assert kept["count"].tolist() == [2, 2, 2]


def test_a_damaged_file_is_named(tmp_path):
    assert losses.read_losses(tmp_path) == {}
    (tmp_path / losses.LOSSES).write_text("rung,member,step,loss\nlinear,0,1,much\n")
    with pytest.raises(FileError, match=r"losses\.csv"):
        losses.read_losses(tmp_path)
