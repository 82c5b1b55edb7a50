"""Writes of the CRM: keyword-only verbs, one file a subject."""
