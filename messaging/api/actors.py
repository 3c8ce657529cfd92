"""Who did it, for the audit log: a key is not a user."""

from django.http import HttpRequest


def actor_of(request: HttpRequest) -> str:
    """Return the name under which the audit log keeps what this key does."""
    key = request.auth  # type: ignore[attr-defined]
    return f"API key {key.name} ({key.prefix}…)"
