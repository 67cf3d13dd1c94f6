"""Leaky ReLU network, mean squared error, W D x H and H x C, penalty lambda / 2."""

import numpy as np


def objective(x, W1, b1, W2, b2, y, lam, slope):
    z = x @ W1 + b1
    d_act = np.ones_like(z)
    d_act[z < 0] = slope
    h = z * d_act
    r = h @ W2 + b2 - y
    value = (r * r).mean() + 0.5 * lam * (W1**2).sum() + 0.5 * lam * (W2**2).sum()
    dr = 2 * r / r.shape[1]
    dr = dr / len(x)
    grads = {}
    grads["W2"] = h.T @ dr + lam * W2
    grads["b2"] = dr.sum(0)
    dz = (dr @ W2.T) * d_act
    grads["W1"] = x.T @ dz + lam * W1
    grads["b1"] = dz.sum(0)
    return value, grads
