"""Secrets of a trial installation: made once, kept in its data folder, readable by its owner only."""

import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path


def keep_secret(path: Path, *, make: Callable[[], str] | None = None) -> str:
    """Return the secret in the file; at the first call it is made (43 random letters unless `make` is given)."""
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        pass
    secret = (make or new_secret)()
    # Written aside and moved into place: a half written key would lock everything up that it encrypts.
    half_written = path.with_name(path.name + ".new")
    half_written.unlink(missing_ok=True)
    with open(os.open(half_written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(secret + "\n")
        file.flush()
        os.fsync(file.fileno())
    half_written.replace(path)
    return secret


def new_secret() -> str:
    """Return 43 random letters that are safe in a URL and in a configuration file."""
    return secrets.token_urlsafe(32)


def new_fernet_key() -> str:
    """Return a key for cryptography's Fernet: 32 random bytes, URL-safe base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
