"""Softmax classifier, vectorized, W is D x C."""

import numpy as np


def softmax_loss(x, W, b, y, reg):
    N = x.shape[0]
    scores = x.dot(W) + b
    scores = scores - np.max(scores, axis=1, keepdims=True)
    log_sum = np.log(np.sum(np.exp(scores), axis=1))
    loss = np.mean(log_sum - scores[np.arange(N), y])
    loss += reg * np.sum(W * W)

    probs = np.exp(scores - log_sum[:, None])
    dscores = probs.copy()
    dscores[np.arange(N), y] -= 1
    dscores /= N
    dW = x.T.dot(dscores)
    db = np.sum(dscores, axis=0)
    dW += 2 * reg * W
    return loss, (dW, db)
