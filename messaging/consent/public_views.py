"""The public page of an unsubscribe link: no sign-in, no cookie, no script, and nothing happens by looking at it.

Scanners of links open every address in a message, so only a POST changes something. It needs no token of the form: who
has the link may use it, and mail programs post to it unseen (RFC 8058).
"""

import hashlib

from csp.decorators import csp
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from integrations.masking import mask_ip, mask_phone
from integrations.organizations.network import client_ip

from .models import UnsubscribeLink
from .public_words import WORDS, language_of
from .unsubscribing import come_back, find_link, leave, standing_of

# Limits, in ten minutes: links that do not exist from one network (guessing), and changes by one link.
MOST_WRONG, MOST_CHANGES, WINDOW = 30, 20, 600
_STRICT = {
    "default-src": ["'none'"],
    "style-src": ["'self'"],
    "img-src": ["'self'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
    "base-uri": ["'none'"],
}


@csp(_STRICT)  # type: ignore[arg-type]
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Show what the link is for; by POST stop the messages, or get them again."""
    language = language_of(request.headers.get("Accept-Language", ""))
    network = mask_ip(client_ip(request))
    link = find_link(token)
    if link is None:
        # Only those that are wrong wait: thousands share a network of mobile phones, and some broken links, or somebody
        # who guesses, must keep none of them from leaving.
        if _count(f"unsubscribe-wrong:{network}") > MOST_WRONG:
            return _page(request, language, "wait", status=429)
        return _page(request, language, "invalid", status=404)
    if request.method == "POST":
        if _count(f"unsubscribe:{link.pk}") > MOST_CHANGES:
            return _page(request, language, "wait", status=429)
        if request.POST.get("wish") == "again":
            come_back(link)
        else:
            leave(link, ip=client_ip(request))
        return _sealed(HttpResponseRedirect(reverse("unsubscribe", args=[link.pk])))
    standing = standing_of(link)
    page = "stopped" if standing.is_stopped else "question"
    return _page(request, language, page, link=link, may_undo=standing.may_undo)


def _page(
    request: HttpRequest,
    language: str,
    kind: str,
    *,
    link: UnsubscribeLink | None = None,
    may_undo: bool = False,
    status: int = 200,
) -> HttpResponse:
    name = link.organization.name if link else ""
    phone = mask_phone(link.phone) if link else ""
    words = {key: text.format(name=name, phone=phone) for key, text in WORDS[language].items()}
    context = {"words": words, "language": language, "kind": kind, "name": name, "may_undo": may_undo}
    return _sealed(render(request, "messaging/consent/unsubscribe.html", context, status=status))


def _sealed(response: HttpResponse) -> HttpResponse:
    """Keep the address, which lets somebody in, out of caches, search engines and other sites' logs."""
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _count(key: str, *, step: int = 1) -> int:
    """Return how often this happened in the window; the key is hashed, since it holds a network or a token."""
    name = "consent:" + hashlib.sha256(key.encode()).hexdigest()[:40]
    count = int(cache.get(name, 0)) + step
    if step:
        cache.set(name, count, WINDOW)
    return count
