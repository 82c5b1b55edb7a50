"""The designer's right panel: one module for each family of parts, listed in flows.panels.table."""
