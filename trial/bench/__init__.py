"""Benchmarks: each builds a throw-away tenant, does the real work with real workers, and measures it against
hand-written SQL that does the same row changes on the same tables in the same run."""
