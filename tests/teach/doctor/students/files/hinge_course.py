"""Crammer-Singer hinge, vectorized, W is D x C."""

import numpy as np


def hinge_loss(X, W, b, y, reg):
    N = X.shape[0]
    rows = np.arange(N)
    S = X @ W + b
    correct = S[rows, y]
    others = S.copy()
    others[rows, y] = -np.inf
    rival = np.argmax(others, axis=1)
    margin = 1 + others[rows, rival] - correct
    loss = np.maximum(0, margin).mean() + reg * (W**2).sum()
    violated = (margin > 0).astype(float)
    dS = np.zeros_like(S)
    dS[rows, rival] += violated
    dS[rows, y] -= violated
    dS = dS / N
    dW = X.T @ dS + 2 * reg * W
    db = dS.sum(axis=0)
    return loss, (dW, db)
