"""Where a running launcher leaves its addresses and secrets, and how other commands find them.

Imported by `manage.py` before Django: standard library only.
"""

import hashlib
import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from config.launcher.keys import keep_secret

CHECKOUT = Path(__file__).resolve().parents[2]
RELOCATED = Path("/var/lib/heliograph")
RUN_FILE = "run.json"
PROCESS_FILE = "processes.json"

_ASSIGNMENT = re.compile(r"""^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*?)\s*$""")


def load_running_environment() -> None:
    """Take over the environment of a running `make run`, unless DATABASE_URL already says where to go.

    Does nothing while no launcher is up in this data folder.
    """
    if os.environ.get("DATABASE_URL"):
        return
    running = read_run_file(data_folder())
    if running is None:
        return
    for name, value in running["environment"].items():
        if not os.environ.get(name):
            os.environ[name] = value


def data_folder(environ: Mapping[str, str] | None = None) -> Path:
    """Return the folder of the installation's data: HELIOGRAPH_DATA, else `.data` in the checkout; always absolute."""
    named = (environ if environ is not None else {**read_dotenv(CHECKOUT / ".env"), **os.environ}).get(
        "HELIOGRAPH_DATA", ""
    )
    return (CHECKOUT / (named or ".data")).expanduser().resolve()


def servers_folder(data: Path) -> Path:
    """Return the folder of the embedded servers' data.

    PostgreSQL refuses to run as root, and the user it runs as instead cannot enter a folder below a closed one, such as
    root's home. There the data lie under /var/lib, in a folder of its own for every checkout: for its path, so that a
    copy of it gets another, and for a mark inside it, so that a fresh clone in its place does not meet a database whose
    keys are gone.
    """
    if os.geteuid() != 0 or is_open_to_all(data):
        return data / "servers"
    mark = keep_secret(data / "installation")
    key = hashlib.sha256(f"{data}\n{mark}".encode()).hexdigest()[:12]
    checkout = re.sub(r"[^A-Za-z0-9_-]+", "-", data.parent.name).strip("-") or "checkout"
    return RELOCATED / f"{checkout}-{key}"


def is_open_to_all(path: Path) -> bool:
    """Tell whether any user of the machine can walk to the path, of which the end need not exist yet."""
    return all(place.stat().st_mode & 0o001 for place in (path, *path.parents) if place.exists())


def read_run_file(data: Path) -> dict[str, Any] | None:
    """Return `{"pid", "started", "environment"}` of the launcher that is up in this folder, None where none is."""
    content = _read_json(data / RUN_FILE)
    if content is None or not isinstance(content.get("environment"), dict):
        return None
    return content if is_same_process(content.get("pid"), content.get("started")) else None


def running_processes() -> dict[str, int]:
    """Return the process ids of a running `make run` by name (`web`, `worker1`, …); empty where none is up."""
    data = data_folder()
    if read_run_file(data) is None:
        return {}
    return {name: pid for name, pid in (_read_json(data / PROCESS_FILE) or {}).items() if isinstance(pid, int)}


def write_private_json(path: Path, content: Mapping[str, Any]) -> None:
    """Replace the file in one step, readable by its owner only."""
    half_written = path.with_name(path.name + ".new")
    half_written.unlink(missing_ok=True)
    with open(os.open(half_written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        file.write("\n")
    half_written.replace(path)


def is_same_process(pid: object, started: object) -> bool:
    """Tell whether the process is alive and, where the system tells, the same one that began at `started`.

    Process ids are given out again after a reboot or in a restarted container.
    """
    if not isinstance(pid, int) or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return started is None or process_start(pid) == started


def process_start(pid: int) -> str | None:
    """Return when the process began, in the kernel's own ticks, or None where the system does not tell."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        # The name of the program may itself hold spaces and brackets; what follows the last bracket is fixed.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[19]


def read_dotenv(path: Path) -> dict[str, str]:
    """Return the settings of a `.env` file (NAME=value, quotes allowed); empty where there is none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    found = {}
    for line in lines:
        match = _ASSIGNMENT.match(line)
        if match:
            value = match[2]
            if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
                value = value[1:-1]
            found[match[1]] = value
    return found


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
