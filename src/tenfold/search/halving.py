"""Successive halving inside a population: the worst are dropped early, the rest train on (Jamieson and Talwalkar 2016).

With n members and a factor η there are ⌈log_η n⌉ rounds, each of the same budget: round k trains the n_k = n / η^k that
are left for a number of epochs in proportion to η^k, then the best n / η^(k+1) of them stay. The rounds' epochs sum to
what the full sweep gives a member. The last round's members train to the end: choosing among them costs nothing.

What is dropped was worse early, not at the end: a setting that starts slowly, such as a small learning rate under a
decaying schedule, can be lost.
"""

__all__ = ["Halving", "halving", "sentence"]

from itertools import pairwise
from typing import NamedTuple

from tenfold.errors import UsageError


class Halving(NamedTuple):
    """keep: after validation n (from 1) so many members stay, as `Stage.keep`; share: of the full sweep's updates."""

    keep: dict[int, int]
    share: float


def halving(members: int, validations: int, factor: int = 3) -> Halving:
    """Plan when how many members of one population are dropped. validations: in a whole run, evenly spaced.

    Rounds end at whole validations, the first not before 1; with fewer validations than rounds there are that many
    rounds. Raises UsageError for a factor below 2.

    >>> halving(81, 40)
    Halving(keep={1: 27, 4: 9, 13: 3}, share=0.1)
    """
    if factor < 2:
        raise UsageError(f"--halving {factor}: give the factor by which the members become fewer, 2 or more")
    rounds = min(_rounds(members, factor), validations)
    length = sum(factor**k for k in range(rounds))
    keep, done = {}, 0
    for k in range(1, rounds):
        done = max(done + 1, round(validations * sum(factor**i for i in range(k)) / length))
        keep[done] = max(1, members // factor**k)
    keep = {validation: left for validation, left in keep.items() if validation < validations}
    ends, alive = [0, *keep, validations], [members, *keep.values()]
    spent = sum((end - start) * left for (start, end), left in zip(pairwise(ends), alive, strict=True))
    return Halving(keep, spent / (members * validations))


def sentence(members: int, plan: Halving) -> str:
    """Say the plan in one plain sentence.

    >>> sentence(81, halving(81, 40))
    'Of 81 members 27 stay after validation 1, 9 after 4, 3 after 13: 10 % of the updates of the full sweep.'
    """
    if not plan.keep:
        return f"All {members} members train to the end: there are too few members or validations to drop any."
    first, *later = plan.keep.items()
    steps = ", ".join(
        [f"{first[1]} stay after validation {first[0]}", *(f"{left} after {validation}" for validation, left in later)]
    )
    return f"Of {members} members {steps}: {100 * plan.share:.0f} % of the updates of the full sweep."


def _rounds(members: int, factor: int) -> int:
    """Return ⌈log_factor members⌉, at least 1, in whole numbers."""
    rounds = 1
    while factor**rounds < members:
        rounds += 1
    return rounds
