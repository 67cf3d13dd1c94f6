"""Models: frozen dataclasses of shapes with `init`, `forward` and `predict`."""
