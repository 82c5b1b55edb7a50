"""Reads of the CRM that span models."""
