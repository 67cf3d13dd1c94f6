"""Mirror of the room losses: what its laws need to know of each entry, and what only one entry does."""
