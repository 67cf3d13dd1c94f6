"""A trained model: its file, its scores, and how sure they are."""
