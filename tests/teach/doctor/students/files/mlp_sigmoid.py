"""Back-propagation with sigmoid units, weights are out x in, biases are columns of their own."""

import numpy as np


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def sigmoid_prime(z):
    return sigmoid(z) * (1 - sigmoid(z))


def backprop(x, W1, b1, W2, b2, y, lmbda):
    m = len(x)
    z1 = x @ W1.T + b1
    a1 = sigmoid(z1)
    z2 = a1 @ W2.T + b2
    e = np.exp(z2 - z2.max(axis=1, keepdims=True))
    a2 = e / e.sum(axis=1, keepdims=True)
    target = np.eye(W2.shape[0])[y]
    cost = -np.sum(target * np.log(a2)) / m
    cost += lmbda / 2 * (np.sum(W1**2) + np.sum(W2**2))
    delta2 = (a2 - target) / m
    delta1 = (delta2 @ W2) * sigmoid_prime(z1)
    nabla_b2 = delta2.sum(0)
    nabla_W2 = delta2.T @ a1 + lmbda * W2
    nabla_b1 = delta1.sum(0)
    nabla_W1 = delta1.T @ x + lmbda * W1
    return cost, {"W1": nabla_W1, "b1": nabla_b1, "W2": nabla_W2, "b2": nabla_b2}
