"""Importing contacts: look at a file, map its columns, read its rows, write them slice by slice.

The uploaded file becomes one UTF-8 CSV on disk at once (whatever it was), so that a slice can begin at a byte.
"""
