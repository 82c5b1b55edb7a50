"""The settings as the type checker reads them: no server and no environment is needed to look at types."""

import os

for name, value in {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "MILLRACE_SECRET_KEY": "type-checking",
}.items():
    os.environ.setdefault(name, value)

from config.settings import *  # noqa: E402, F403
