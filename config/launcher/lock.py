"""One launcher for each data folder."""

import fcntl
import os
import time
from pathlib import Path

from config.launcher.environment import read_run_file
from config.launcher.errors import LauncherError


def lock_folder(data: Path) -> int:
    """Take the data folder for this process until it ends, however it ends; return the lock's descriptor.

    Raises LauncherError where another launcher has it.
    """
    try:
        descriptor = os.open(data / "run.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except PermissionError as error:
        raise LauncherError(
            f"{data} belongs to another user. Start Heliograph as that user, or set HELIOGRAPH_DATA to a folder of "
            "your own."
        ) from error
    # A launcher that is being killed lets go within a moment.
    for _ in range(10):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.1)
        else:
            return descriptor
    os.close(descriptor)
    running = read_run_file(data)
    where = f" (process {running['pid']}, {running['environment'].get('PUBLIC_BASE_URL', '')})" if running else ""
    raise LauncherError(
        f"Heliograph is already running from {data}{where}. Stop it there with Ctrl-C first, or set HELIOGRAPH_DATA to "
        "another folder to run a second one beside it."
    )
