"""Everything that concerned a contact, by time: each room registers what it knows, and the page merges it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import merge

from integrations.organizations.models import Organization

from .models import Contact

PAGE = 20


@dataclass(frozen=True)
class Entry:
    """One thing that happened. `key` tells apart what happened in the same moment; `link` is an address, or empty.

    With `status` it is shown as that status of a message, with `is_inbound` as said by the person, and `body` as words
    that went to or came from them; what is gone says so in `text`.
    """

    at: datetime
    key: str
    icon: str
    text: str
    body: str = ""
    link: str = ""
    status: str = ""
    is_inbound: bool = False

    @property
    def place(self) -> tuple[datetime, str]:
        return self.at, self.key


# Before which moment (None: now) and key; the newest first, at most so many.
Source = Callable[[Organization, Contact, datetime | None, int], Iterable[Entry]]
_sources: dict[str, Source] = {}


@dataclass(frozen=True)
class Page:
    """Entries, the newest first; `next` is where to go on, or empty."""

    entries: list[Entry]
    next: str
    is_first: bool


def register_timeline_source(kind: str, source: Source) -> None:
    """Let a room tell what it knows of a contact; use it in `AppConfig.ready()`.

    The source gets organization, contact, a moment (None: from now on) and a limit, and returns its newest entries that
    are not younger than the moment; those of the very moment included, which the page then tells apart by their keys.
    """
    _sources[kind] = source


def timeline(organization: Organization, contact: Contact, *, before: str = "", size: int = PAGE) -> Page:
    """Return one page of what happened: the newest, or what lies before the place that the last page ended at."""
    place = _read(before)
    # One more than a page from each; those of the moment at which the last page ended come again and are left out.
    limit = size + 1 + (_most_at_once if place else 0)
    lists = [
        sorted(source(organization, contact, place[0] if place else None, limit), key=_place, reverse=True)
        for source in _sources.values()
    ]
    merged = [entry for entry in merge(*lists, key=_place, reverse=True) if place is None or entry.place < place]
    shown = merged[:size]
    following = _written(shown[-1]) if len(merged) > size else ""
    return Page(entries=shown, next=following, is_first=place is None)


_most_at_once = 50


def _place(entry: Entry) -> tuple[datetime, str]:
    return entry.place


def _written(entry: Entry) -> str:
    return f"{entry.at.astimezone(UTC).replace(tzinfo=None).isoformat()}~{entry.key}"


def _read(before: str) -> tuple[datetime, str] | None:
    moment, _, key = before.partition("~")
    try:
        return datetime.fromisoformat(moment).replace(tzinfo=UTC), key[:80]
    except ValueError:
        return None
