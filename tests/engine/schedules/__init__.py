"""Mirror of the room schedules: what its laws need to know of each entry."""
