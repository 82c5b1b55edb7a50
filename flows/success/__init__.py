"""The kinds of success criteria: one file each, listed in menu order in flows.success.table."""
