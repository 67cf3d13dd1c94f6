"""What students hand in: one file each, right as it stands; ../mistakes holds the faults, as edits of these lines."""
