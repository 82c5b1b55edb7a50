"""The kinds of steps: one file (or folder) each, listed in menu order in flows.steps.table."""
