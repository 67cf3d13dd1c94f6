"""Searching settings: folds, successive halving, the choice of the best, the plan of populations, Optuna's journal."""
