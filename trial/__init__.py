"""Trying Millrace out on one machine: demo data, mailbox, clock and the runner of `make demo`."""
