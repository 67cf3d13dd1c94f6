"""Formats of exports by name: `Export(ending, is_folder, write, open)`. A new format is one file."""
