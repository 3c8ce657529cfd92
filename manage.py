#!/usr/bin/env python
"""Django's command line, which finds the servers of a running `make run` by itself."""

import os
import sys

from config.launcher.environment import load_running_environment


def main() -> None:
    """Run one management command."""
    load_running_environment()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
