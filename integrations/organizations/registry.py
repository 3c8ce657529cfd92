"""What upper rooms hang into the shell: notices above every page, pages of settings, and what writes to members."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .models import Member, Organization
from .roles import Capability


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


@dataclass(frozen=True)
class SettingsPage:
    """A page of settings that another room has; `route` is the name of its address."""

    title: str
    text: str
    route: str
    capability: Capability


_settings_pages: list[SettingsPage] = []


def register_settings_page(
    *, title: str, text: str, route: str, capability: Capability = Capability.MANAGE_ORGANIZATION
) -> None:
    """Show a way to a room's own settings on the organization's Settings page; use it in `AppConfig.ready()`."""
    page = SettingsPage(title=title, text=text, route=route, capability=capability)
    if page not in _settings_pages:
        _settings_pages.append(page)


def settings_pages() -> list[SettingsPage]:
    """Return the pages of settings of all rooms, by title."""
    return sorted(_settings_pages, key=lambda page: page.title)


@dataclass(frozen=True)
class Writer:
    """What texts a member, in words like "the automation “Alarm”"; `link` is an address inside the organization."""

    words: str
    link: str


WriterSource = Callable[[Member], Iterable[Writer]]
_writer_sources: list[WriterSource] = []


def register_writers(source: WriterSource) -> WriterSource:
    """Ask `source` what texts a member, before the member or the number is removed; use it in `AppConfig.ready()`."""
    if source not in _writer_sources:
        _writer_sources.append(source)
    return source


def writers_to(member: Member) -> list[Writer]:
    """Return what texts the member, of all rooms."""
    return [writer for source in _writer_sources for writer in source(member)]
