"""Layers: `y, pull = layer(x, *weights)`; `dx, *dweights = pull(dy, need_dx=True)`."""
