"""The engine: one batch of due participants of one flow, claimed, guarded, run and written back in one transaction.

It knows no views, tasks or brokers; the clock and what to wake are arguments.
"""
