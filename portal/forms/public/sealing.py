"""What every answer to a visitor carries: a strict policy, no memory, no trace for search engines or other sites."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF
from django.http import HttpResponse

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?", re.IGNORECASE)


def seal(response: HttpResponse, *, embed_origins: Iterable[str] = (), leads_to: str = "") -> HttpResponse:
    """Set the policy of a public page: framed by the form's own sites only, posting to us and, at the end, `leads_to`.

    Browsers hold `form-action` against the redirect that answers a form: the thank-you address has to stand in it.
    """
    frames = [origin for origin in map(origin_of, embed_origins) if origin]
    response._csp_config = {  # type: ignore[attr-defined]
        "default-src": [NONE],
        "style-src": [SELF, NONCE],
        "script-src": [SELF],
        "img-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF, *filter(None, [origin_of(leads_to)])],
        "frame-ancestors": frames or [NONE],
        "base-uri": [NONE],
    }
    # The old header knows no list of sites; with frame-ancestors beside it browsers do not look at it.
    response.xframe_options_exempt = bool(frames)  # type: ignore[attr-defined]
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    response.setdefault("Cache-Control", "no-store")
    response.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
    return response


def origin_of(address: str) -> str:
    """Return scheme and host of an address as a policy takes them; nothing where it is no plain web address."""
    parts = urlsplit(address.strip())
    origin = f"{parts.scheme}://{parts.netloc}".lower()
    return origin if _ORIGIN.fullmatch(origin) else ""
