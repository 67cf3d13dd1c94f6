"""Multiclass hinge of scores."""

import numpy as np


def hinge(s, t):
    n = s.shape[0]
    idx = np.arange(n)
    masked = s.copy()
    masked[idx, t] = -1e30
    j = masked.argmax(axis=1)
    viol = 1.0 + s[idx, j] - s[idx, t]
    loss = np.sum(np.maximum(viol, 0)) / n
    g = np.zeros_like(s)
    on = viol > 0
    g[idx[on], j[on]] += 1.0 / n
    g[idx[on], t[on]] -= 1.0 / n
    return loss, g
