"""Pages of accounts: front door, home, settings, errors."""
