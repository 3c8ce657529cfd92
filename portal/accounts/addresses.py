"""Where a portal is: below `/p/` of this installation, or on a domain of its own."""

from django.conf import settings

from .models import Portal


def address_of(portal: Portal, path: str = "") -> str:
    """Return the whole address of the portal, or of a page of it: `address_of(portal, "i/…")`.

    It goes into SMS and onto paper: links within pages are made by `reverse`, which knows where the visitor is.
    """
    path = path.lstrip("/")
    if portal.domain and portal.domain_seen_at:
        return f"https://{portal.domain}/{path}"
    return f"{settings.PUBLIC_BASE_URL}/p/{portal.slug}/{path}"
