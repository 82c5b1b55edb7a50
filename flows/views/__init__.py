"""Pages and answers of the designer."""
