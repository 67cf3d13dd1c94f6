"""Data: files are read, audited, split, augmented and handed to a model batch by batch."""
