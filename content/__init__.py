"""What is said: emails, their versions, merge tags, rendering, tracked links."""
