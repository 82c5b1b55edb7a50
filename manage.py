#!/usr/bin/env python
"""Run a management command, with the embedded servers where no others are configured."""

import os
import sys


def main() -> None:
    from config.embedded import ensure_environment

    ensure_environment()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
