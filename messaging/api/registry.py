"""Operations of rooms above this wing: registered from `AppConfig.ready()`, which is before any address is read."""

from typing import NamedTuple

from ninja import Router


class Room(NamedTuple):
    """A router, where it stands below /api/v1, and under which heading the document shows it."""

    prefix: str
    router: Router
    tag: str


_rooms: dict[str, Room] = {}


def register_router(prefix: str, router: Router, *, tag: str) -> None:
    """Let an upper room answer below a prefix."""
    _rooms[prefix] = Room(prefix, router, tag)


def registered() -> list[Room]:
    """Return what was registered, in that order."""
    return list(_rooms.values())
