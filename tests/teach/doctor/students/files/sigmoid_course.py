"""One sigmoid per class, binary cross-entropy averaged over the classes, W is D x C."""

import numpy as np


def sigmoid(s):
    return 1 / (1 + np.exp(-s))


def multi_bce(X, W, b, y, reg):
    n = X.shape[0]
    K = W.shape[1]
    T = np.zeros((n, K))
    T[np.arange(n), y] = 1
    p = sigmoid(X @ W + b)
    loss = -(T * np.log(p) + (1 - T) * np.log(1 - p)).sum() / (n * K)
    loss += reg * np.sum(W**2)
    ds = (p - T) / K
    ds /= n
    dW = X.T @ ds
    dW += 2 * reg * W
    db = ds.sum(axis=0)
    return loss, (dW, db)
