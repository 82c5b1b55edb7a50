"""Glue without domain words: tenancy scope, kind tables, jobs, tokens, text, clock, CSV."""
