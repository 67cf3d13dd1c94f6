"""What students hand in, right and wrong: test material for the gradient doctor, made without knowing how it works.

files/NAME.py is right as it stands; mistakes/NAME.txt lists faults, each as the lines that a student would have written
instead ("-" as it stands, "+" in its place; "+" before any "-": above the functions), under a head "# fault" (or "#
right": another way to write it), with sizes that must agree for the fault to fit the shapes (D=C), a range outside of
which it would rarely show (N=5..8), or "telltale" where the wrong shape gives it away.
"""
