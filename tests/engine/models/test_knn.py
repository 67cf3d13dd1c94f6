"""Nearest neighbors as a model: votes one image after the other, and their slopes."""

import torch
from torch.nn.functional import normalize, one_hot

from tenfold.engine.models.knn import Knn
from tenfold.trained.embeddings import neighbor_votes


def votes(neighbors, classes):
    """The log of each class's votes; the choice of the neighbors is a constant."""

    def scores(tensors, x, noise):
        members = []
        for kept, labels in zip(tensors["kept.weight"], tensors["kept.label"], strict=True):
            s = normalize(x, dim=-1) @ kept.T
            least = s.detach().sort(descending=True).values[:, [neighbors - 1]]
            weight = torch.where(s >= least, (10 * (s - 1)).exp(), 0.0)
            members.append((1e-6 + weight @ one_hot(labels.long(), classes).to(weight)).log())
        return torch.stack(members)

    return scores


def case(neighbors, images, classes=3):
    shapes = {"inputs": 5, "classes": classes, "neighbors": neighbors, "images": images}
    return {"shapes": shapes, "reference": votes(min(neighbors, images), classes)}


CASES = {"some": case(4, 11), "all": case(20, 6), "nearest": case(1, 7)}


def test_it_votes_as_the_judge_of_encoders_does(draw):
    kept, labels, x = draw(30, 5), torch.arange(30) % 3, draw(9, 5)
    tensors = {"kept.weight": normalize(kept, dim=-1)[None], "kept.label": labels[None].double()}
    ours = Knn(5, 3, 20, 30).predict(tensors, {}, x)[0]
    torch.testing.assert_close(ours, neighbor_votes(x, kept, labels, 3))
    itself = neighbor_votes(kept, kept, labels, 3, torch.arange(30))
    for k in (0, 17):
        rest = torch.arange(30) != k
        torch.testing.assert_close(itself[k], neighbor_votes(kept[[k]], kept[rest], labels[rest], 3)[0])
