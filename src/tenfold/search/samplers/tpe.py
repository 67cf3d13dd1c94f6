"""Tree-structured Parzen estimator (Bergstra et al. 2011), Optuna's: densities of good and of other members.

A whole batch is asked for at once: each member that is still out counts as a bad one, so that they keep apart.
"""

__all__ = ["tpe"]

from collections.abc import Sequence
from functools import partial

from tenfold.choices import applicable
from tenfold.recipe import Settings
from tenfold.search.axes import Axis
from tenfold.search.study import decoded, graded, parameters, quiet, suggest
from tenfold.seeds import generator


def tpe(
    axes: Sequence[Axis], count: int, seed: int, batch: int, scored: Sequence[tuple[Settings, float | None]]
) -> list[Settings]:
    """Propose the next `count` members; random ones while fewer than ten are scored.

    Raises UsageError where Optuna is not installed.
    """
    stream = generator(seed, "sweep", "tpe", batch)
    distributions = {name: distribution for axis in axes for name, distribution in parameters(axis).items()}
    with quiet() as optuna:
        # Defaults that differ between Optuna 4 and 5 are stated; its multivariate sampler itself differs between them.
        sampler = optuna.samplers.TPESampler(
            seed=int(stream.integers(2**31)), multivariate=False, group=False, constant_liar=True
        )
        study = optuna.create_study(direction="maximize", sampler=sampler)
        for params, score in graded(axes, scored):
            chosen = {name: distributions[name] for name in params}
            study.add_trial(optuna.create_trial(params=params, distributions=chosen, value=score))
        return [applicable(decoded(axes, partial(suggest, study.ask()))) for _ in range(count)]
