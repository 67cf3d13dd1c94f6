"""Two-layer network, ReLU, softmax, L2 on both weights."""

import numpy as np


def two_layer_net(X, W1, b1, W2, b2, y, reg):
    N = X.shape[0]
    z1 = X.dot(W1) + b1
    h = np.maximum(0, z1)
    scores = h.dot(W2) + b2
    scores = scores - scores.max(axis=1, keepdims=True)
    log_probs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    loss = -log_probs[range(N), y].mean()
    loss += reg * (np.sum(W1 * W1) + np.sum(W2 * W2))

    dscores = np.exp(log_probs)
    dscores[range(N), y] -= 1
    dscores /= N
    dW2 = h.T.dot(dscores)
    db2 = dscores.sum(axis=0)
    dh = dscores.dot(W2.T)
    dz1 = dh * (z1 > 0)
    dW1 = X.T.dot(dz1)
    db1 = dz1.sum(axis=0)
    dW1 += 2 * reg * W1
    dW2 += 2 * reg * W2
    return loss, (dW1, db1, dW2, db2)
