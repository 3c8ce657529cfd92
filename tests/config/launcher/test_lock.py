import os
from pathlib import Path

import pytest

from config.launcher.environment import write_private_json
from config.launcher.errors import LauncherError
from config.launcher.lock import lock_folder


def test_second_launcher_in_a_folder_is_told_who_has_it(tmp_path: Path) -> None:
    first = lock_folder(tmp_path)
    write_private_json(
        tmp_path / "run.json", {"pid": os.getpid(), "environment": {"PUBLIC_BASE_URL": "http://127.0.0.1:8000"}}
    )
    with pytest.raises(LauncherError, match=rf"already running.*process {os.getpid()}, http://127.0.0.1:8000"):
        lock_folder(tmp_path)
    os.close(first)
    os.close(lock_folder(tmp_path))
