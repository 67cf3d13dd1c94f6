"""Multiclass support vector machine with loops, W is C x D, lambda / 2 times the squared norm."""

import numpy as np


def svm_loss(x, W, b, y, lam):
    n = x.shape[0]
    C = W.shape[0]
    loss = 0.0
    gW = np.zeros(W.shape)
    gb = np.zeros(C)
    for i in range(n):
        s = W.dot(x[i]) + b
        best = -1
        for j in range(C):
            if j == y[i]:
                continue
            if best < 0 or s[j] > s[best]:
                best = j
        m = 1 + s[best] - s[y[i]]
        if m > 0:
            loss += m / n
            gW[best] += x[i] / n
            gW[y[i]] -= x[i] / n
            gb[best] += 1 / n
            gb[y[i]] -= 1 / n
    loss += lam / 2 * np.sum(W * W)
    gW += lam * W
    return loss, {"W": gW, "b": gb}
