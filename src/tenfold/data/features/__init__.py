"""Features: what a model sees of an image; `Feature(fit, transform)`, fitted on the training part of a run."""
