"""What a form is beside its questions: words and looks, when and how often it is open, what follows a submission."""

import ipaddress
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.hashers import make_password
from django.db import transaction

from integrations.organizations.audit import record
from integrations.organizations.models import User

from .models import PublicForm

SENTENCES = {
    "form.changed": "changed {parts} of the form {which}",
    "form.password_set": "put a password on the form {which}",
    "form.password_removed": "took the password from the form {which}",
}
# What members read of each part in the audit log.
_NAMES: dict[str, str] = {
    "title": "title",
    "description": "description",
    "languages": "languages",
    "color": "colour",
    "thank_you": "thank-you text",
    "redirect_url": "address to go on to",
    "opens_at": "beginning",
    "closes_at": "end",
    "limit_total": "limit of submissions",
    "limit_per_number": "limit per number",
    "closed_message": "text of a closed form",
    "embed_origins": "pages that may embed it",
    "confirmation_template": "confirmation SMS",
    "updates_contact": "keeping of contacts",
}
MOST_ORIGINS = 20
_HOST = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")


class OriginProblem(Exception):
    """Something that is not the address of a site; the text is for the member."""


def change_form(form: PublicForm, *, values: Mapping[str, Any], actor: User, ip: str = "") -> list[str]:
    """Save the parts that differ and return their names; the audit log says which, not what was written."""
    changed = [name for name in _NAMES if name in values and getattr(form, name) != values[name]]
    if not changed:
        return []
    for name in changed:
        setattr(form, name, values[name])
    with transaction.atomic():
        form.save(update_fields=[*changed, "updated_at"])
        parts = ", ".join(_NAMES[name] for name in changed)
        record(form.organization, actor=actor, action="form.changed", target=form, changes={"parts": parts}, ip=ip)
    return changed


def set_password(form: PublicForm, *, password: str, actor: User, ip: str = "") -> None:
    """Ask every visitor for this password from now on; an empty one asks nobody any more."""
    if not password and not form.password:
        return
    form.password = make_password(password) if password else ""
    action = "form.password_set" if password else "form.password_removed"
    with transaction.atomic():
        form.save(update_fields=["password", "updated_at"])
        record(form.organization, actor=actor, action=action, target=form, ip=ip)


def read_origins(text: str) -> list[str]:
    """Return the sites in a text, one a line, as browsers name them (https://www.example.com); raise OriginProblem.

    An address of a page of the site does as well. Wildcards are not taken: each site that may frame the form is named.
    """
    found: list[str] = []
    for line in filter(None, (part.strip() for part in re.split(r"[\s,;]+", text))):
        origin = _origin(line)
        if origin not in found:
            found.append(origin)
    if len(found) > MOST_ORIGINS:
        raise OriginProblem(f"At most {MOST_ORIGINS} sites can embed a form.")
    return found


def _origin(text: str) -> str:
    problem = OriginProblem(f"“{text[:60]}” is not the address of a site. Write it like https://www.example.com.")
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, port = (parts.hostname or "").rstrip("."), parts.port
        host = host.encode("idna").decode("ascii").lower() if not host.isascii() else host.lower()
    except (ValueError, UnicodeError):
        raise problem from None
    is_local = host == "localhost" or _is_loopback(host)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
        raise OriginProblem("Only sites with https:// can embed a form: others could be changed on their way.")
    if parts.username or parts.password or not _HOST.fullmatch(host) or ("." not in host and not is_local):
        raise problem
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != 443 else "")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
