"""Two straight lines against torch's, one scheduler after the other."""

from torch.optim.lr_scheduler import LinearLR, SequentialLR


def lines(first, peak, last):
    def schedule(optimizer, total, epoch):
        rising = LinearLR(optimizer, first, 1.0, peak)
        return SequentialLR(optimizer, [rising, LinearLR(optimizer, 1.0, last, total - peak)], [peak])

    return schedule


CASES = {
    "to zero": {"options": {}, "torch": lines(0.2, 10, 0.0)},
    "late peak": {"options": {"rise": 0.5, "rise_from": 0.1, "fall_to": 0.07}, "torch": lines(0.1, 20, 0.07)},
    "no rise": {
        "options": {"rise": 0.0},
        "torch": lambda optimizer, total, epoch: LinearLR(optimizer, 1.0, 0.0, total),
    },
}
