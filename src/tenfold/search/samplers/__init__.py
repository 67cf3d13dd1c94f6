"""Samplers: `sample(axes, count, seed, batch, told) -> settings`, what to try next, `count` members at once.

told: (settings, score) of every member asked for before, in that order; the score is the higher the better, None where
the member failed. The answer depends on the arguments alone, so that a resumed search asks the same.
"""
