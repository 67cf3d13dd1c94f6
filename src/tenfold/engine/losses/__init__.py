"""Losses: `value, dscores = loss(scores, target, weight)`, mean over the batch."""
