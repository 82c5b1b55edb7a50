"""Doors of delivery: recipients' pages and the tenant's list of blocked addresses."""
