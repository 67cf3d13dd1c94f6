"""`tenfold check`: is a gradient right, and if not, what is wrong with it."""

__all__ = ["command"]

from typing import Any

import click

from tenfold.cli.options import chosen, recipe_options, shown
from tenfold.cli.tables.check import print_check
from tenfold.errors import UsageError
from tenfold.text import inert

FIELDS = (
    "hidden",
    "activation",
    "dropout",
    "loss",
    "initializer",
    "initializer_scale",
    "init_seed",
    "optimizer",
    "learning_rate",
    "momentum",
    "batch_size",
    "l1",
    "l2",
    "standardize",
    "seed",
)
SMALL = {"hidden": "6-5; with --data 128"}


@click.command("check")
@click.argument("target", default="")
@click.option("--shapes", default="", metavar="SIZES", help="argument sizes of your function, like x=3x10,W=4x10,y=3:4")
@click.option("--arrays", type=click.Choice(["auto", "numpy", "torch"]), default="auto", help="array type  [auto]")
@click.option("--points", type=click.IntRange(1, 1000), default=5, help="number of random points  [5]")
@click.option("--step", type=float, default=0.0, help="step of the differences  [fitted to the function's noise]")
@click.option("--tolerance", type=float, default=1e-6, help="relative error that still counts as right  [1e-6]")
@click.option("--float32", is_flag=True, help="compute in float32, and name the noise to expect")
@click.option("--data", default="", help="check a model's first training steps on this data set")
@click.option("--data-dir", default="", help="folder of the named data sets  [$TENFOLD_DATA, else the user's cache]")
@recipe_options(FIELDS, SMALL)
@click.option("--json", "as_json", is_flag=True, help="print one JSON object as the last line")
def command(
    target: str,
    shapes: str,
    arrays: str,
    points: int,
    step: float,
    tolerance: float,
    float32: bool,
    data: str,
    data_dir: str,
    as_json: bool,
    **options: Any,
) -> None:
    """Check the gradient of TARGET three ways, and name the fault where it is wrong.

    TARGET is a loss, layer or model of Tenfold (losses/hinge, layers/linear, models/mlp, or all losses), or a function
    f(x, *params, y) -> value, gradients of your own: my_loss.py:loss_and_grad --shapes x=3x10,W=4x10,y=3:4, where y=3:4
    are three labels of four classes, y=3:4:onehot the same as rows of one 1 among zeros, y=3x2 real targets and reg=0.1
    is a number; or my_loss.py alone with a list CASES. Your file is run as code, with your rights. The exit code is 1
    where a gradient is not right.
    """
    from tenfold.choices import recipe
    from tenfold.teach.doctor.check import Request, check

    if not target:
        raise UsageError("say what to check: `tenfold check losses/hinge`, or my_loss.py:function --shapes x=3x10,…")
    given = {**chosen(options), **({"data": data} if data else {})}
    several = [name for name, value in given.items() if isinstance(value, list) and name != "hidden"]
    if several:
        raise UsageError(f"{several[0]} takes one value in a check")
    model = {"model": target.partition("/")[2]} if target in ("models/linear", "models/mlp") else {}
    about = recipe({**given, **model})
    asked = (shapes, arrays, float32, points, step, tolerance, data_dir)
    result = check(Request(target, about, frozenset(given), *asked), lambda line: click.echo(inert(line), err=True))
    shown(result, as_json, print_check)
    if not result["right"]:
        click.get_current_context().exit(1)
