"""What the inbox hangs into the shell: the count behind its item of the sidebar."""

from django.http import HttpRequest

from .selectors import unread_count


def unread_badge(request: HttpRequest) -> str:
    """Return how many conversations are unread, for the sidebar; "" where there is none."""
    count = unread_count(request.organization)  # type: ignore[attr-defined]
    return "99+" if count > 99 else str(count) if count else ""
