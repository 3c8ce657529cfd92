"""Domains of portals' own: which there are, and choosing one.

A domain serves its portal as soon as it is saved here and its DNS leads to this installation. Links in SMS and on paper
lead there only once it was seen to work: until then they would lead nowhere.
"""

import ipaddress
import re
import threading
import time
import uuid
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.http.request import validate_host

from integrations.organizations.audit import record
from integrations.organizations.models import User

from .models import Portal
from .setting_up import SetupProblem

SENTENCES = {
    "portal.domain_set": "gave the portal {which} the domain {domain}",
    "portal.domain_removed": "took the domain from the portal {which}",
}
KNOWN_FOR = 15.0  # seconds that a process goes by what it read of all domains
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?=.{{4,253}}$){_LABEL}(?:\.{_LABEL})*\.(?:[a-z]{{2,63}}|xn--[a-z0-9-]{{1,59}})")
_reading = threading.Lock()
_known: tuple[float, dict[str, "Site"]] | None = None


@dataclass
class Site:
    """A domain's portal, as a request needs it."""

    portal_id: uuid.UUID
    slug: str
    is_seen: bool


def set_domain(portal: Portal, *, domain: str, actor: User, ip: str = "") -> bool:
    """Serve the portal at this domain, or with an empty one at no domain of its own; False where nothing differs.

    Raise SetupProblem.
    """
    wanted = clean_domain(domain) if domain.strip() else None
    if portal.domain == wanted:
        return False
    action = "portal.domain_set" if wanted else "portal.domain_removed"
    try:
        with transaction.atomic():
            Portal.objects.filter(pk=portal.pk).update(domain=wanted, domain_seen_at=None)
            changes = {"domain": wanted} if wanted else {}
            record(portal.organization, actor=actor, action=action, target=portal, changes=changes, ip=ip)
    except IntegrityError as taken:
        raise SetupProblem("Another portal of this installation has this domain. Choose another one.") from taken
    portal.domain, portal.domain_seen_at = wanted, None
    forget()
    return True


def clean_domain(text: str) -> str:
    """Return a domain as browsers name it, from a domain or an https address; raise SetupProblem."""
    text = text.strip().lower()
    problem = SetupProblem(f"“{text[:60]}” is no domain. Write it like portal.example.com.", part="domain")
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, port = (parts.hostname or "").rstrip("."), parts.port
        host = host.encode("idna").decode("ascii") if not host.isascii() else host
    except (ValueError, UnicodeError):
        raise problem from None
    if parts.path not in {"", "/"} or parts.query or parts.username or port not in {None, 443} or _is_address(host):
        raise problem
    if not _DOMAIN.fullmatch(host):
        raise problem
    if is_ours(host):
        raise SetupProblem("This installation itself is there. Take another domain, or one below it.", part="domain")
    return host


def is_ours(host: str) -> bool:
    """Tell whether the product itself answers at this host."""
    ours = [urlsplit(settings.PUBLIC_BASE_URL).hostname or "", *settings.ALLOWED_HOSTS]
    return validate_host(host, [pattern for pattern in ours if pattern not in {"", "*"}])


def site_at(host: str) -> Site | None:
    """Return whose domain this is; None for nobody's.

    All domains are read at once and kept for a moment: whoever calls at invented hosts causes no statements by it.
    """
    known = _known
    if known is None or time.monotonic() - known[0] >= KNOWN_FOR:
        known = _read()
    return known[1].get(host)


def note_seen(site: Site) -> None:
    """Remember that somebody came by the domain, over https: from now on links lead there."""
    Portal.objects.filter(pk=site.portal_id, domain_seen_at=None).update(domain_seen_at=Now())
    site.is_seen = True


def forget() -> None:
    """Read anew at the next request."""
    global _known
    _known = None


def _read() -> tuple[float, dict[str, Site]]:
    global _known
    with _reading:
        rows = Portal.objects.exclude(domain=None).values_list("domain", "pk", "slug", "domain_seen_at")
        sites = {domain: Site(pk, slug, seen is not None) for domain, pk, slug, seen in rows if domain}
        _known = time.monotonic(), sites
        return _known


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
