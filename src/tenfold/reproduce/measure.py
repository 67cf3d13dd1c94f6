"""One number of a run: which metric of it, of which images, at which moment."""

__all__ = ["Measure"]

from pydantic import BaseModel, model_validator

from tenfold.recipe import Settings
from tenfold.reproduce.values import PARTS_OF, RUNNING, STRICT, Label, Metric, Moment, Subset


class Measure(BaseModel):
    """One number of a run: metric, part, moment.

    part: "train" (exact, all of it), "running" (its running mean since the last validation), "validation" or "test".
    epoch: a number of epochs, "last", or "best": the moment of the best validation score. label: of the class, for
    "recall". setting: of a run that searches, the settings of one of its members, {} for the best; its validation is
    the mean over the folds, and only the best is tested. weight_disagreement, bias_disagreement: relative error of the
    hand-derived gradient against autograd in float64, 10 inputs, 3 images. near_zero, of the part "weights": share of
    the weights below a hundredth of the largest. loss_noise, of the part "running": deviation between neighbors of the
    curve, in its second half.
    """

    model_config = STRICT

    run: str
    metric: Metric = "accuracy"
    part: Subset = "test"
    epoch: Moment = "last"
    label: Label | None = None
    setting: Settings = {}

    @model_validator(mode="after")
    def _complete(self) -> "Measure":
        if (self.metric == "recall") != (self.label is not None):
            raise ValueError('label: recall is of a class, and no other metric is: give metric "recall" and its label')
        if self.part == "running" and self.metric not in (*RUNNING, "loss_noise"):
            raise ValueError(f"metric {self.metric!r}: the part running has {', '.join(RUNNING)}; take the part train")
        for metric, part in PARTS_OF.items():
            if (self.metric == metric) > (self.part == part) or (self.part == "weights") > (self.metric == "near_zero"):
                raise ValueError(f'metric {metric!r} goes with the part "{part}"')
        return self

    @property
    def id(self) -> str:
        """Return the name for `--explain`: run/part/metric@epoch, without what is usual.

        >>> Measure(run="plain", epoch=1).id, Measure(run="plain", part="train", metric="loss").id
        ('plain/test@1', 'plain/train/loss')
        """
        words = [self.run, *(f"{name}={value}" for name, value in self.setting.items()), self.part]
        words += [self.metric] * (self.metric != "accuracy") + [str(self.label)] * (self.label is not None)
        moment = self.epoch if isinstance(self.epoch, str) else f"{self.epoch:g}"
        return "/".join(words) + f"@{moment}" * (moment != "last")
