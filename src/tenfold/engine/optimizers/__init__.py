"""Optimizers: factories of `Optimizer(init, update)`."""
