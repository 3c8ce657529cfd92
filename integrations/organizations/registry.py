"""What upper rooms hang into the shell: notices above every page of an organization."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .models import Organization


@dataclass(frozen=True)
class Notice:
    """A line above the page: `kind` is info, warning or danger; `link` an address inside the organization."""

    kind: str
    text: str
    link: str = ""
    link_text: str = ""


NoticeSource = Callable[[Organization], Iterable[Notice]]
_sources: list[NoticeSource] = []


def register_notices(source: NoticeSource) -> NoticeSource:
    """Ask `source` for notices on every page; use it in `AppConfig.ready()`."""
    if source not in _sources:
        _sources.append(source)
    return source


def shell_notices(organization: Organization) -> list[Notice]:
    """Return the notices of all sources."""
    return [notice for source in _sources for notice in source(organization)]
