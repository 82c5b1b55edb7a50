"""Tenants' scripts in Starlark: checked and run in a child process of their own, with nothing but the values given."""
