"""The gradient doctor: a function's gradient three ways, and in plain words what is wrong with it."""
