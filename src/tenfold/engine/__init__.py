"""The engine: layers, losses, models and optimizers by hand, one population at a time."""
