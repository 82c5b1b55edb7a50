"""The WSGI door for granian."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

# What a process loads once is never looked through for garbage again: in the midst of an answer that took up to 0.4 s.
# All views are loaded with their addresses. An answer makes some 10,000 objects: it is looked through about once.
get_resolver().url_patterns  # noqa: B018 (reading them loads them)
gc.collect()
gc.freeze()
gc.set_threshold(10_000, 10, 10)
