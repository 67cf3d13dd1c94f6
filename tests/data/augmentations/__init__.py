"""Mirror of the room augment: what its laws need to know of each entry, and what only one entry does."""
