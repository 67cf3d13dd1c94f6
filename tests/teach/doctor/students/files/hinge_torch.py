"""Crammer-Singer in torch, W is D x C, penalty lambda times the squared norm."""

import torch


def crammer_singer(x, W, b, y, weight_decay):
    n = len(x)
    scores = x @ W + b
    true = scores.gather(1, y[:, None]).squeeze(1)
    rivals = scores.scatter(1, y[:, None], float("-inf"))
    top, which = rivals.max(dim=1)
    margins = 1 + top - true
    loss = margins.clamp(min=0).mean() + weight_decay * (W * W).sum()
    active = (margins > 0).to(x.dtype) / n
    dscores = torch.zeros_like(scores)
    dscores.scatter_add_(1, which[:, None], active[:, None])
    dscores.scatter_add_(1, y[:, None], -active[:, None])
    dW = x.T @ dscores + 2 * weight_decay * W
    db = dscores.sum(0)
    return loss, (dW, db)
