"""Data: what is read, looked through, split, augmented and handed to a model batch by batch."""
