"""The right derivative at the wrong place: φ'(h) for φ'(z), or its formula in the output, h (1 − h), with z put in."""

__all__ = ["derivative_misplaced"]

from tenfold.teach.doctor.backward import Blocks, Fault, Mistake, Structure, slope
from tenfold.teach.faults import FORMULAS

AT_OUTPUT = "the derivative of {of} is taken at its output h{where}, where it belongs at z, before the activation"
AT_SUM = "the derivative of {of} is written in its output ({formula}){where}, but z, before the activation, was put in"


@Fault
def derivative_misplaced(structure: Structure, names: Blocks) -> list[Mistake]:
    """List both places at every layer whose derivative has a formula in its output."""
    layers = [(i, word) for i, word in structure.hidden() if word in FORMULAS]
    ways = []
    for i, word in layers:
        where, formula = f" at layer {i + 1}" * (len(layers) > 1), FORMULAS[word][0]
        at_output, at_sum = (says.format(of=word, where=where, formula=formula) for says in (AT_OUTPUT, AT_SUM))
        ways.append(Mistake("local", lambda run, layer, right, of=word: slope(of, run.post[layer + 1]), at_output, i))
        ways.append(Mistake("local", lambda run, layer, right, of=word: FORMULAS[of][1](run.pre[layer]), at_sum, i))
    return ways
