"""`manage.py worker_pids`: the worker processes of this machine, one a line."""

import os
import socket
from typing import Any

from django.core.management.base import BaseCommand

from messaging.sending.pulse import alive_workers


class Command(BaseCommand):
    """Print the process ids of living workers, for fault drills."""

    help = "Print the process ids of this machine's workers, one a line."

    def handle(self, *args: Any, **options: Any) -> None:
        for worker in alive_workers():
            if worker.host == socket.gethostname() and _is_alive(worker.pid):
                self.stdout.write(str(worker.pid))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
