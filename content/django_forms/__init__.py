"""Django's form classes of content's pages: what a user typed, read and checked. Forms themselves are content.forms."""
