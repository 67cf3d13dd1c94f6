"""A sentence of a report that can be wrong, and the numbers that decide it."""

__all__ = ["Claim"]

from typing import Annotated

from pydantic import BaseModel, Field, model_validator

from tenfold.reproduce.judge import allowed
from tenfold.reproduce.measure import Measure
from tenfold.reproduce.values import CURVES, STRICT, Label, Within

KINDS = (
    "better and than, or fails, or of and one of lowest, highest, below and above, or equal, to and margin, "
    "or cells and read_in"
)


class Claim(BaseModel):
    """A sentence of the report that can be wrong, of one of five kinds.

    better, than: the first measure is better than the second; beside: and its gain over the second is larger than the
    gain of each of these; after: over the curves from this many iterations on. equal, to: both are equally good, no
    more than a margin apart. fails: the run that goes non-finite. lowest, highest: labels of classes that every run in
    `of` recalls least (most) on test images; below, above: labels whose recall is below (above) the mean of all.
    cells, read_in (run -> run): the reported numbers are those of the other run, and not of their own.
    """

    model_config = STRICT

    text: str
    better: Measure | None = None
    than: Measure | None = None
    beside: tuple[Measure, ...] = ()
    after: Annotated[int, Field(ge=0)] = 0
    equal: Measure | None = None
    to: Measure | None = None
    margin: Within = ""
    fails: str = ""
    lowest: tuple[Label, ...] = ()
    highest: tuple[Label, ...] = ()
    below: tuple[Label, ...] = ()
    above: tuple[Label, ...] = ()
    of: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    read_in: dict[str, str] = {}

    @model_validator(mode="after")
    def _one_kind(self) -> "Claim":
        ranked = [labels for labels in (self.lowest, self.highest, self.below, self.above) if labels]
        kinds = [
            (self.better or self.than or self.beside or self.after, self.better and self.than),
            (self.equal or self.to or self.margin, self.equal and self.to),
            (self.fails, True),
            (ranked or self.of, len(ranked) == 1 and self.of),
            (self.cells or self.read_in, self.cells and self.read_in),
        ]
        if [bool(whole) for begun, whole in kinds if begun] != [True]:
            raise ValueError(f"claim {self.text!r}: give {KINDS}")
        if self.equal and not (self.margin and allowed(self.margin, 1.0)):
            raise ValueError(
                f"claim {self.text!r}: equally good needs a margin above 0: how far apart the two may be, "
                'like margin = "0.5 points"'
            )
        self._refuse_no_curve()
        return self

    def _refuse_no_curve(self) -> None:
        """Refuse numbers that no curve has, where a claim is about curves."""
        for measure in (self.better, self.than, *self.beside) if self.after else ():
            if measure and ((measure.part, measure.metric) not in CURVES or measure.epoch != "last" or measure.setting):
                listed = ", ".join(f"{part}/{metric}" for part, metric in CURVES)
                raise ValueError(f"claim {self.text!r}: after is of curves, and those are of {listed}")

    @property
    def classes(self) -> tuple[Label, ...]:
        """Return the labels that it names."""
        return self.lowest or self.highest or self.below or self.above

    @property
    def compared(self) -> tuple[tuple[Measure, Measure], ...]:
        """Return the pairs of measures that it compares."""
        first, others = (self.better, (self.than, *self.beside)) if self.better else (self.equal, (self.to,))
        return tuple((first, other) for other in others if first and other)

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Return the measures that judge it; those of `cells` belong to the table."""
        ranked = tuple(Measure(run=run, metric="recall", label=label) for run in self.of for label in self.classes)
        pairs = (self.better, self.than, *self.beside, self.equal, self.to)
        return (*(measure for measure in pairs if measure), *ranked)

    @property
    def runs(self) -> set[str]:
        """Return the runs that it speaks of."""
        named = {self.fails} if self.fails else set(self.read_in.values())
        return {measure.run for measure in self.measures} | named
