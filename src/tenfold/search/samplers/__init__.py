"""Samplers: `sample(axes, count, seed, batch, scored) -> settings`, what to try next, `count` members at once.

scored: (settings, score) of every member asked for before, in that order; a higher score is better, None means that the
member failed. The answer depends on the arguments alone, so that a resumed search asks the same.
"""
