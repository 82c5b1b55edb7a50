"""Chaos: a flow with every step kind while workers, Valkey and PostgreSQL are killed, then an audit of what is left.

`python -m trial.chaos` is a process of its own: its servers, workers and sinks live in a folder that is thrown away,
listen on this machine alone, and end with it (docs/reliability.md).
"""
