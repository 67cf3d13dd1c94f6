"""Mirror of the room embedding_losses: what its laws need to know of each entry, and what only one entry does."""
