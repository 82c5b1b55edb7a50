"""The one language of filters, splits, success criteria and searches: typed tree, validation, SQL, explanation."""
