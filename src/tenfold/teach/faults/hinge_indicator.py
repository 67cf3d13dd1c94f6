"""The hinge's indicator [1 + z_k − z_y > 0] asks something else: [1 + z_k > 0], without the label's score; or nothing.

Written out with z = Wx, a parenthesis in the wrong place leaves ([z_k + 1 > 0] + 1) x − z_y for [z_k + 1 − z_y > 0] x.
"""

__all__ = ["hinge_indicator"]

from functools import partial

import torch
from torch import Tensor

from tenfold.engine.arrays import one_hot
from tenfold.teach.doctor.backward import LABELED, Blocks, Fault, Mistake, Pass, Structure

LOST = "the indicator of the violated margin lacks the true class's score: 1 + z_k > 0 is asked, not 1 + z_k − z_y > 0"
ALWAYS = "the indicator of the violated margin is left out: images that keep the margin should have no gradient"
OUTSIDE = "{lost}; + 1 and − z_y stand outside of it, in the gradient of {of}"
SUMMED = "; and it is summed over all rivals, but the value has the largest rival's violation alone"


@Fault
def hinge_indicator(structure: Structure, names: Blocks) -> list[Mistake]:
    """List both indicators, of the largest rival and summed over all of them; and the first, wrongly parenthesized."""
    ways = []
    for every in (False, True) if structure.loss in ("hinge", "weston_watkins", LABELED) else ():
        more = SUMMED * (every and structure.loss != "weston_watkins")
        for says, asked in ((LOST, True), (ALWAYS, False)):
            ways.append(Mistake("scores", partial(_pushed, every, asked), says + more, rank=int(every)))
        if len(structure.layers) == 1:
            says = OUTSIDE.format(lost=LOST, of=structure.layers[0].weight) + more
            ways.append(Mistake("weight", partial(_outside, every), says, rank=int(every)))
    return ways


def _rivals(run: Pass, every: bool) -> Tensor:
    """Mark the rivals (N, C) of every image, or the largest of them."""
    others = 1 - run.labels
    largest = run.scores.masked_fill(others == 0, -torch.inf).argmax(-1)
    return others if every else one_hot(largest, run.scores)


def _balanced(run: Pass, rivals: Tensor) -> Tensor:
    """Give the true class minus what its rivals have, and every image its share."""
    return run.structure.scale / run.images * (rivals - rivals.sum(1, keepdim=True) * run.labels)


def _pushed(every: bool, asked: bool, run: Pass, layer: int, right: Tensor) -> Tensor:
    return _balanced(run, _rivals(run, every) * ((run.scores > -1) | (not asked)))


def _outside(every: bool, run: Pass, layer: int, right: Tensor, d: Tensor) -> Tensor:
    rivals, own = _rivals(run, every), (run.scores * run.labels).sum(1)
    factors = _balanced(run, rivals * (1.0 + (run.scores > -1)))
    return factors.mT @ run.post[0] - (_balanced(run, rivals).mT @ own)[:, None]
