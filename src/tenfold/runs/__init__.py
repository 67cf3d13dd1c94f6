"""Runs: a folder, the training that happens in it, and what came out."""
