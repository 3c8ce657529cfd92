"""Small counts behind items of the sidebar, which only upper rooms can know."""

from collections.abc import Callable

from django.http import HttpRequest

BadgeSource = Callable[[HttpRequest], str]
_sources: dict[str, BadgeSource] = {}


def register_badge(route: str, source: BadgeSource) -> None:
    """Ask `source` what stands behind the sidebar's item of this route, "" for nothing; use it in `ready()`."""
    _sources[route] = source


def badge_of(route: str, request: HttpRequest) -> str:
    """Return what stands behind an item of the sidebar."""
    source = _sources.get(route)
    return source(request) if source else ""
