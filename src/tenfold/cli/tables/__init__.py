"""Output of the commands on stdout: one file for each command, or for those whose results look alike."""
