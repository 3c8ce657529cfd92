"""Parts of a page that refresh themselves, and are left alone while nothing in them changes."""

import hashlib
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

_NO_CHANGE = 204  # htmx swaps nothing then: what is selected or focused in the part stays so


def live_part(request: HttpRequest, template: str, context: dict[str, Any], *, url: str) -> dict[str, str]:
    """Render a part and return what `_live.html` shows: the part, a digest of it, and where to ask again."""
    part = render_to_string(template, context, request)
    digest = hashlib.blake2b(part.encode(), digest_size=8).hexdigest()
    return {"part": part, "seen": digest, "url": f"{url}{'&' if '?' in url else '?'}seen={digest}"}


def answer_refresh(request: HttpRequest, live: dict[str, str]) -> HttpResponse:
    """Answer the part anew, or that it is still the one that is shown."""
    if request.GET.get("seen") == live["seen"]:
        return HttpResponse(status=_NO_CHANGE)
    return HttpResponse(render_to_string("integrations/sandbox/_live.html", {"live": live}, request))
