"""Commands: one file each, named like the command."""
