"""Multinomial logistic regression, W is C x D, half the squared norm as penalty."""

import numpy as np


def softmax(s):
    e = np.exp(s - s.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def cost(X, W, b, labels, lam):
    n, k = len(X), len(W)
    Y = np.eye(k)[labels]
    P = softmax(X @ W.T + b)
    J = -np.sum(Y * np.log(P)) / n + 0.5 * lam * np.sum(W**2)
    G = (P - Y) / n
    grad_W = G.T @ X + lam * W
    grad_b = G.sum(axis=0)
    return J, {"W": grad_W, "b": grad_b}
