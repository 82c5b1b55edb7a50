"""Contacts, companies, criteria, imports: at the promised doors."""
