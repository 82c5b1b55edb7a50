"""Flows as files: what a document names by id becomes the file's own numbers, and back to what is here."""
