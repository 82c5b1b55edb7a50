"""Writes of flows: drafts, saves, lifecycle, details."""
