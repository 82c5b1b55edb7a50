"""Forms of the CRM."""
