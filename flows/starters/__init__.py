"""Flows to begin with: one file for each use, read and brought in as any flow file is."""
