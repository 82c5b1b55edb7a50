"""Template tags of the CRM."""
