"""The kinds of triggers: one file each, listed in menu order in flows.triggers.table."""
