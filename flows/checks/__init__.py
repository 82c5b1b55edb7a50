"""Checks of a whole flow, beyond what its parts say of themselves: one file each, listed in table.py."""
