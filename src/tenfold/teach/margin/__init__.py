"""The hard-margin support vector machine: solved exactly, proved, or proved impossible."""
