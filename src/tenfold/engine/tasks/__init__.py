"""Tasks: model + loss + penalty -> the objective of a step."""
