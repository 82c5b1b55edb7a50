"""The demo tenant: who works there, whom they talk to, and a welcome flow that is ready to start."""
