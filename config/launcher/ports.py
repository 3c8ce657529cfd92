"""Ports: the one asked for, else the next free one; and nobody else takes it between looking and listening."""

import errno
import random
import socket
import sys
from pathlib import Path

from config.launcher.errors import LauncherError

LOOPBACK = "127.0.0.1"
# Below what the system gives to outgoing connections: one of those could sit on a port while its server restarts.
PRIVATE_PORTS = range(20_000, 32_000)


class PortError(LauncherError):
    """No port can be had; the text says why."""


class PortBook:
    """The ports that one launcher has taken, kept from other launchers for as long as the book lives."""

    def __init__(self) -> None:
        self._marks: list[socket.socket] = []
        self._taken: set[int] = set()

    def claim(self, preferred: int) -> int:
        """Return the preferred port or the next free one above it."""
        for port in range(preferred, min(preferred + 200, 65_536)):
            if self._mark(port):
                return port
        raise PortError(f"No free port from {preferred} to {preferred + 199}.")

    def claim_sticky(self, memory: Path) -> int:
        """Return the port that the file remembers, if it is free, else a new one, which it remembers from now on."""
        remembered = read_port(memory)
        if remembered and self._mark(remembered):
            return remembered
        for _ in range(200):
            port = random.choice(PRIVATE_PORTS)
            if self._mark(port):
                memory.write_text(f"{port}\n")
                return port
        raise PortError(f"No free port between {PRIVATE_PORTS.start} and {PRIVATE_PORTS.stop}.")

    def listen(self, preferred: int) -> socket.socket:
        """Return a listening socket on the preferred port or the next free one.

        The launcher keeps it open, so that a web process that is being restarted refuses nobody: they wait.
        """
        for port in range(preferred, min(preferred + 200, 65_536)):
            try:
                listener = _bind(port)
            except PermissionError as error:
                raise PortError(f"Port {port} is reserved to root; choose PORT above 1023.") from error
            if listener is not None:
                return listener
        raise PortError(f"No free port from {preferred} to {preferred + 199}.")

    def close(self) -> None:
        """Give every port back."""
        for mark in self._marks:
            mark.close()
        self._marks.clear()
        self._taken.clear()

    def _mark(self, port: int) -> bool:
        """Take the port among launchers, if nobody listens on it.

        A server starts listening only seconds after its port was chosen; a second launcher that looks meanwhile finds
        this mark. Elsewhere than on Linux there is no such mark that dies with its process, and looking must do.
        """
        if port in self._taken:
            return False
        mark = None
        if sys.platform.startswith("linux"):
            mark = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                mark.bind(f"\0heliograph/port/{port}")
            except OSError:
                mark.close()
                return False
        if not is_free(port):
            if mark is not None:
                mark.close()
            return False
        if mark is not None:
            self._marks.append(mark)
        self._taken.add(port)
        return True


def is_free(port: int) -> bool:
    """Tell whether a server could listen on the port of the loopback address now."""
    try:
        listener = _bind(port)
    except PermissionError:
        return False
    if listener is None:
        return False
    listener.close()
    return True


def read_port(memory: Path) -> int | None:
    """Return the port that a file remembers, None where it holds none."""
    try:
        port = int(memory.read_text())
    except (OSError, ValueError):
        return None
    return port if 0 < port < 65_536 else None


def _bind(port: int) -> socket.socket | None:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        if error.errno == errno.EACCES:
            raise
        return None
    return listener
