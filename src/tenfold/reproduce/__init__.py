"""Reproductions: reported tables as files, measured numbers beside reported ones, verdicts, explanations."""
