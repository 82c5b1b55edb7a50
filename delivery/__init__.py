"""Getting messages out and hearing back: message rows, channels, sending, webhooks, suppression."""
