"""The right files: shapes, loss, activation, penalty, so that a reference can be computed without reading them."""

__all__ = ["BASES", "Base"]

from typing import NamedTuple


class Base(NamedTuple):
    """One right file. spec: shapes in letters; loss and activation: words of reference.py.

    penalty: factor of λ ‖W‖², or of λ Σ|W| where norm is 1, with the first constant as λ; 0 for none. stable: right
    for scores of ±1000 as well.
    """

    file: str
    spec: str
    loss: str
    activation: str = ""
    penalty: float = 0.0
    constants: tuple[str, ...] = ()
    stable: bool = False
    norm: int = 2

    @property
    def names(self) -> list[str]:
        """Of the arrays, in the order of the arguments: "x", the parameters, "y"."""
        return [part.partition("=")[0] for part in self.spec.split(",")]

    @property
    def parameters(self) -> list[str]:
        return self.names[1:-1]


COLUMNS, ROWS = "x=NxD,W=DxC,b=C,y=N:C", "x=NxD,W=CxD,b=C,y=N:C"
SCORES = "x=NxC,y=N:C"
TWO_COLUMNS, TWO_ROWS = "x=NxD,W1=DxH,b1=H,W2=HxC,b2=C,y=N:C", "x=NxD,W1=HxD,b1=H,W2=CxH,b2=C,y=N:C"
REAL_COLUMNS, REAL_ROWS = "x=NxD,W1=DxH,b1=H,W2=HxK,b2=K,y=NxK", "x=NxD,W1=HxD,b1=H,W2=KxH,b2=K,y=NxK"
BASES = {
    base.file: base
    for base in (
        Base("softmax_course", COLUMNS, "softmax", penalty=1, constants=("reg",), stable=True),
        Base("softmax_rows", ROWS, "softmax", penalty=0.5, constants=("lam",)),
        Base("softmax_loops", "x=NxD,W=DxC,b=1xC,y=N:C", "softmax", penalty=1, constants=("reg",), stable=True),
        Base("softmax_torch", ROWS, "softmax", stable=True),
        Base("softmax_scores", SCORES, "softmax", stable=True),
        Base("softmax_jacobian", SCORES, "softmax"),
        Base("hinge_course", COLUMNS, "hinge", penalty=1, constants=("reg",), stable=True),
        Base("hinge_loops", ROWS, "hinge", penalty=0.5, constants=("lam",), stable=True),
        Base("hinge_scores", SCORES, "hinge", stable=True),
        Base("hinge_torch", COLUMNS, "hinge", penalty=1, constants=("weight_decay",), stable=True),
        Base("hinge_l1", ROWS, "hinge", penalty=1, constants=("lam",), stable=True, norm=1),
        Base("sigmoid_course", COLUMNS, "sigmoid", penalty=1, constants=("reg",)),
        Base("sigmoid_rows", ROWS, "sigmoid", penalty=0.5, constants=("lam",), stable=True),
        Base("sigmoid_scores", SCORES, "sigmoid", stable=True),
        Base("sigmoid_torch", "x=NxD,W=CxD,b=1xC,y=N:C", "sigmoid", stable=True),
        Base("mlp_relu", TWO_COLUMNS, "softmax", "relu", 1, ("reg",), stable=True),
        Base("mlp_sigmoid", TWO_ROWS, "softmax", "sigmoid", 0.5, ("lmbda",)),
        Base("mlp_tanh", "x=NxD,W1=DxH,b1=1xH,W2=HxC,b2=1xC,y=N:C", "softmax", "tanh", 0.5, ("reg",)),
        Base("mlp_leaky", TWO_COLUMNS, "softmax", "leaky_relu", 0, ("slope",)),
        Base("mlp_torch", TWO_ROWS, "softmax", "sigmoid", stable=True),
        Base("regress_relu", REAL_COLUMNS, "squared_error", "relu", 1, ("lam",)),
        Base("regress_tanh", REAL_ROWS, "mean_squared_error", "tanh"),
        Base("regress_sigmoid", REAL_ROWS, "squared_error", "sigmoid"),
        Base("regress_leaky", REAL_COLUMNS, "mean_squared_error", "leaky_relu", 0.5, ("lam", "slope")),
    )
}
