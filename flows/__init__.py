"""What should happen: the flow document, its revisions, kinds of triggers and steps, validation, designer."""
