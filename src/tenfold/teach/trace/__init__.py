"""Worked back-propagation: every number of a small network's training with its formula, checked, and judged."""
