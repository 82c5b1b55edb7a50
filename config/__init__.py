"""Settings, URLs, Celery and environment: the only package that knows every app."""
