"""Doors of content: the library and the editor, and what recipients follow."""
