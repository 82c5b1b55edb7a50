"""The block editor: an MJML source seen as sections, columns and blocks. There is no other truth than the source."""
