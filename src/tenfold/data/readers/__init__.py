"""Bytes of the known formats to arrays, every claim of a header checked before anything is allocated."""
