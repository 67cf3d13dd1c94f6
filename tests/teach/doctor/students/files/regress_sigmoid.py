"""Sigmoid network with squared error, image by image, weights are out x in."""

import numpy as np


def sig(v):
    return 1 / (1 + np.exp(-v))


def train_loss(X, W1, b1, W2, b2, T):
    N = X.shape[0]
    E = 0.0
    gW1, gb1 = np.zeros_like(W1), np.zeros_like(b1)
    gW2, gb2 = np.zeros_like(W2), np.zeros_like(b2)
    for x, t in zip(X, T, strict=True):
        net = W1 @ x + b1
        o = sig(net)
        err = W2 @ o + b2 - t
        E += 0.5 * err @ err
        gW2 += np.outer(err, o)
        gb2 += err
        back = W2.T @ err
        d = back * o * (1 - o)
        gW1 += np.outer(d, x)
        gb1 += d
    return E / N, (gW1 / N, gb1 / N, gW2 / N, gb2 / N)
