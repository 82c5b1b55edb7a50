"""Outgoing webhooks: requests that flows make to the tenant's own systems. At least once, each with a stable id."""
