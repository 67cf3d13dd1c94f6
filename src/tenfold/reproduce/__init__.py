"""Reproduction: a reported table as a file, what was measured beside what was reported, verdicts, and why."""
