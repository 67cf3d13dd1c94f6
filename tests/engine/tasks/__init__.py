"""Mirror of the room tasks: what its laws need to know of each entry, and what only one entry does."""
