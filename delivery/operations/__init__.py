"""What can be done with streams, messages and addresses."""
