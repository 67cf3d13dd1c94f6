"""Features: the inputs of a model in place of pixels; `Feature(fit, transform)`, fitted on the training part."""
