"""The report: what a run folder holds, as one page of HTML that needs nothing else. See pages.py."""
