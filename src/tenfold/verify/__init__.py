"""Checks that name the fault: where a run went non-finite."""
