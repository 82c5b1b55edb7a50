"""Numbers, charts and exports: reads, never writes another app's tables."""
