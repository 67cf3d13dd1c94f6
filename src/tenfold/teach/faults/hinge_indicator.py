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
OUTSIDE = f"{LOST}; + 1 and − z_y stand outside of it"
SUMMED = "; and it is summed over all rivals, but the value has the largest rival's violation alone"


@Fault
def hinge_indicator(structure: Structure, names: Blocks) -> list[Mistake]:
    """List the indicators, of the largest rival and summed over all of them."""
    ways = []
    for every in (False, True) if structure.loss in ("hinge", "weston_watkins", LABELED) else ():
        more = SUMMED * (every and structure.loss != "weston_watkins")
        ways += [Mistake("scores", partial(_pushed, every, -1), LOST + more, rank=int(every))]
        ways += [Mistake("scores", partial(_pushed, every, -torch.inf), ALWAYS + more, rank=int(every))]
        ways += [Mistake("weight", partial(_outside, every), OUTSIDE + more, 0)] * (len(structure.layers) == 1)
    return ways


def _balanced(run: Pass, every: bool, factors: Tensor) -> Tensor:
    """Give rivals their factors (N, C), or the largest of them, and the true class minus what they have."""
    others = 1 - run.labels
    rivals = others if every else one_hot(run.scores.masked_fill(others == 0, -torch.inf).argmax(-1), run.scores)
    pushed = rivals * factors
    return run.structure.scale / run.images * (pushed - pushed.sum(1, keepdim=True) * run.labels)


def _pushed(every: bool, bound: float, run: Pass, layer: int, right: Tensor) -> Tensor:
    return _balanced(run, every, run.scores > bound)


def _outside(every: bool, run: Pass, layer: int, right: Tensor, d: Tensor) -> Tensor:
    of_label = (run.scores * run.labels).sum(1, keepdim=True)
    inside = _balanced(run, every, 1.0 + (run.scores > -1)).mT @ run.post[0]
    return inside - _balanced(run, every, of_label).sum(0)[:, None]
