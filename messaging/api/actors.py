"""Who did it, for the audit log: a key is not a user."""

from typing import Any

from django.http import HttpRequest


def actor_of(request: HttpRequest) -> Any:
    """Return the name under which the audit log keeps what this key does."""
    key = request.auth  # type: ignore[attr-defined]
    return f"API key {key.name} ({key.prefix}…)"


def author_of(request: HttpRequest) -> Any:
    """Return who is kept as the author of a template's wording: nobody, because a wording's author is a user."""
    return None
