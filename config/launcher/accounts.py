"""Who the embedded servers run as: PostgreSQL refuses root, so root lends it a user without rights."""

import os
import pwd
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from config.launcher.errors import LauncherError

SERVICE_USER = "heliograph"


@dataclass(frozen=True)
class Account:
    """A user of the machine."""

    uid: int
    gid: int


def choose_account(data: Path) -> Account | None:
    """Return the user to run servers as whose data lie in the folder, None for the one we are.

    Raises LauncherError where the data belong to somebody whom we cannot be.
    """
    owner = data.stat().st_uid if data.exists() else None
    if os.geteuid() != 0:
        if owner not in (None, os.geteuid()):
            raise LauncherError(
                f"{data} belongs to another user ({_name(owner)}). Start Heliograph as that user, "
                "or set HELIOGRAPH_DATA to a folder of your own."
            )
        return None
    if owner:
        return Account(owner, data.stat().st_gid)
    user = _service_user()
    return Account(user.pw_uid, user.pw_gid)


def give(path: Path, account: Account | None) -> None:
    """Make the account the owner of the file or folder."""
    if account is not None:
        os.chown(path, account.uid, account.gid)


def _service_user() -> pwd.struct_passwd:
    """Return the service user, made where it is missing; other users without rights serve where none can be made."""
    commands = (
        ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SERVICE_USER],
        ["adduser", "-S", "-D", "-H", SERVICE_USER],
    )
    for command in commands:
        if _lookup(SERVICE_USER) is None and shutil.which(command[0]):
            subprocess.run(command, check=False, stdin=subprocess.DEVNULL, capture_output=True)
    # A second launcher may be making the same user at this moment, and then holds the lock of the user list.
    for _ in range(30):
        user = _lookup(SERVICE_USER)
        if user is not None:
            return user
        if not any(shutil.which(command[0]) for command in commands):
            break
        time.sleep(0.1)
    for name in ("postgres", "nobody"):
        user = _lookup(name)
        if user is not None:
            return user
    raise LauncherError(
        "PostgreSQL does not run as root, and no other user could be made for it. Start Heliograph as an ordinary "
        "user, or set DATABASE_URL to a PostgreSQL server."
    )


def _lookup(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _name(uid: int | None) -> str:
    try:
        return pwd.getpwuid(uid or 0).pw_name
    except KeyError:
        return str(uid)
