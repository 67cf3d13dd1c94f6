"""Softmax cross-entropy of scores, the last layer of a network."""

import numpy as np


def softmax_loss(scores, y):
    shifted = scores - scores.max(axis=1, keepdims=True)
    Z = np.exp(shifted).sum(axis=1, keepdims=True)
    log_probs = shifted - np.log(Z)
    N = scores.shape[0]
    loss = -log_probs[np.arange(N), y].sum() / N
    dx = np.exp(log_probs)
    dx[np.arange(N), y] -= 1
    dx /= N
    return loss, dx
