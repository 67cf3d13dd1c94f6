"""Softmax classifier with explicit loops, the bias is a row of shape 1 x C."""

import numpy as np


def softmax_naive(x, W, b, y, reg):
    dW = np.zeros_like(W)
    db = np.zeros_like(b)
    loss = 0.0
    num_train = x.shape[0]
    num_classes = W.shape[1]
    for i in range(num_train):
        f = x[i].dot(W) + b[0]
        f = f - f.max()
        total = np.exp(f).sum()
        loss += np.log(total) - f[y[i]]
        for j in range(num_classes):
            p = np.exp(f[j]) / total
            g = p - (j == y[i])
            dW[:, j] += g * x[i]
            db[0, j] += g
    loss /= num_train
    dW /= num_train
    db /= num_train
    loss += reg * np.sum(W * W)
    dW += 2 * reg * W
    return loss, [dW, db]
