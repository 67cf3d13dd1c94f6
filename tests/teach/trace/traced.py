"""Traces that the tests of pages, LaTeX and Markdown share: real ones, one with gaps, one full of hostile text."""

from dataclasses import replace
from functools import cache

from tenfold.teach.trace.api import trace
from tenfold.teach.trace.sheets import blanked

WIDE = {"weights": "he", "biases": "0.1", "learning_rate": "0.1", "seed": 3}
NETWORKS = {
    "softmax": ("2-3-3", {"activations": "tanh,identity", "loss": "softmax", "samples": "1,-0.5:2 0.3,2:0"}),
    "batch": (
        "2-2-2",
        {"activations": "leaky_relu,identity", "loss": "mean_squared_error", "samples": "1,-0.5:2,1 0.3,2:1,0"}
        | {"batch": True, "updates": 2},
    ),
    "sigmoid": ("2-3-1", {"activations": "sigmoid,identity", "loss": "sigmoid", "samples": "1,-0.5:1 0.3,2:0"}),
    "hinge": ("3-3", {"activations": "identity", "loss": "hinge", "samples": "1,-0.5,0:1"}),
    "all-rivals": ("2-3", {"activations": "relu", "loss": "weston_watkins", "samples": "1,-0.5:1", "batch": True}),
    "wide": ("3-6-3", {"activations": "relu,identity", "loss": "softmax", "samples": "1,-0.5,0.2:1"}),
}
NAMES = ("hand-worked", "judged", "blank", *NETWORKS)
# Each of these once broke out of something: markup, a script, a table, a formula, a terminal, a line.
HOSTILE = (
    "</script><img src=x onerror=alert(1)> | \\input{x} $%#&_{}~^ `*[a](b)` \u202e\x1b[31m\n"
    "zebra \U0001f993 {{7*7}} <!--"
)
SEEN = " ".join(HOSTILE.replace("\u202e", "").replace("\x1b", "").split())
"""The same as one line of visible characters."""


@cache
def worked(name):
    """A trace by its name."""
    if name in NETWORKS:
        spec, choices = NETWORKS[name]
        return trace(spec, **(WIDE | choices))
    return blanked(trace(), 8, 3) if name == "blank" else trace(reported="" if name == "judged" else None)


def traced(name):
    """A trace as it is displayed."""
    return worked(name).display


def hostile():
    """The judged trace, with hostile text wherever text may come from outside."""
    found = worked("judged")
    judgments = [
        judgment._replace(note=HOSTILE, sentence=f"{judgment.sentence} {HOSTILE}") for judgment in found.judgments
    ]
    network = replace(found.network, name=HOSTILE)
    return replace(found, network=network, notes=(HOSTILE, f"- {HOSTILE}"), judgments=tuple(judgments)).display


def gaps(found):
    """The rows that are left to the reader; one number may stand on several."""
    return [row for row in found.rows if row.gap is not None]
