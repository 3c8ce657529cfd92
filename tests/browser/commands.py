"""Runs management commands for the browser tests, a JSON list of arguments a line: Django starts once for all."""

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout

from config.launcher.environment import load_running_environment


def main() -> None:
    """Answer every line with `[exit code, what was printed]`."""
    load_running_environment()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.core.management import call_command
    from django.db import close_old_connections

    django.setup()
    answers = sys.stdout
    for line in sys.stdin:
        printed, code = io.StringIO(), 0
        close_old_connections()
        with redirect_stdout(printed), redirect_stderr(printed):
            try:
                call_command(*json.loads(line), stdout=printed, stderr=printed)
            except SystemExit as end:
                code = int(end.code or 0)
            except Exception as error:  # noqa: BLE001 - the test that asked says it
                code = 1
                printed.write(repr(error))
        print(json.dumps([code, printed.getvalue()]), file=answers, flush=True)


if __name__ == "__main__":
    main()
