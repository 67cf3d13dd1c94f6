"""Triplet loss (Schroff et al. 2015): a positive nearer to the anchor than a negative, by a margin α.

    L = mean over triplets (a, p, n) of max(0, ‖z_a − z_p‖² − ‖z_a − z_n‖² + α)

With d_ij = ‖z_i − z_j‖² and the slopes S_ij = ∂L/∂d_ij of the mining (engine/mining.py says which triplets there are),

    ∂L/∂z_i = 2 Σ_j (S_ij + S_ji) (z_i − z_j)

Distances are squared, so that the gradient is finite where embeddings coincide; where all of them do, the loss is α and
the gradient 0: the collapse that a run is watched for. L(c z; c² α) = c² L(z; α), and no shift of all z changes it.

pytorch-metric-learning 2.9's TripletMarginLoss averages over the triplets with a loss (AvgNonZeroReducer); the mean
here is over all that are mined, as the formula says: the value then falls with the number of violations, too. Its miner
"semihard" keeps every triplet with a negative between d_ap and d_ap + α; here it is the nearest such negative alone.
"""

__all__ = ["triplet"]

from torch import Tensor

from tenfold.engine.mining import MININGS
from tenfold.engine.pairs import squared_distances
from tenfold.engine.types import Scalar
from tenfold.rooms import Hyperparameter

NUMBERS = (
    Hyperparameter("margin", 1.0, "margin between embeddings that do not belong together", above=0, varies=True),
    Hyperparameter(
        "mining",
        "random",
        "triplets of a batch that are trained on",
        words=("random", "all", "semi-hard", "batch-hard", "distance-weighted"),
    ),
)


def triplet(z: Tensor, y: Tensor, u: Tensor, margin: Scalar = 1.0, mining: str = "random") -> tuple[Tensor, Tensor]:
    """Return the mean loss of each member and its gradient in the embeddings.

    z: (..., B, D); y: (B,), equal where rows belong together; u: (B, 2) uniform draws; margin: α, a number, or (P,)
    with z (P, B, D). Returns (...,) and (..., B, D).
    """
    d, pull = squared_distances(z)
    value, slope = MININGS[mining](d, y, u, margin, z.shape[-1])
    return value, pull(slope)
