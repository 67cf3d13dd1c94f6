"""Network with one tanh layer and softmax, biases of shape 1 x H and 1 x C, gradients in the inputs as well."""

import numpy as np


def nn_loss(X, W1, b1, W2, b2, labels, reg):
    num = X.shape[0]
    Z1 = X @ W1 + b1
    A1 = np.tanh(Z1)
    Z2 = A1 @ W2 + b2
    Z2 = Z2 - np.max(Z2, axis=1, keepdims=True)
    P = np.exp(Z2)
    P = P / np.sum(P, axis=1, keepdims=True)
    data_loss = -np.log(P[np.arange(num), labels]).sum() / num
    loss = data_loss + 0.5 * reg * np.sum(W1 * W1) + 0.5 * reg * np.sum(W2 * W2)

    dZ2 = P.copy()
    dZ2[np.arange(num), labels] -= 1
    dZ2 = dZ2 / num
    dW2 = A1.T @ dZ2 + reg * W2
    db2 = np.sum(dZ2, axis=0, keepdims=True)
    dA1 = dZ2 @ W2.T
    dZ1 = dA1 * (1 - A1**2)
    dW1 = X.T @ dZ1 + reg * W1
    db1 = np.sum(dZ1, axis=0, keepdims=True)
    dX = dZ1 @ W1.T
    return loss, (dX, dW1, db1, dW2, db2)
