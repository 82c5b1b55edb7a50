"""Pages of the CRM: each view translates, calls one operation, and translates back."""
