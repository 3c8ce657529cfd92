"""Portals and people of portals, for tests."""

import secrets
from datetime import timedelta
from typing import Any

from django.db.models.functions import Now

from integrations.organizations.models import Organization
from portal.accounts.devices import hash_of
from portal.accounts.models import Portal, PortalSession, PortalUser
from portal.forms.models import FormVersion, PublicForm

QUESTIONS: list[dict[str, Any]] = [
    {"key": "f1", "kind": "short_text", "label": "Your name", "required": True, "saves_as": "name"},
    {"key": "f2", "kind": "short_text", "label": "Plate"},
]


def make_portal(organization: Organization, *, slug: str = "drivers", **given: Any) -> Portal:
    """Return a portal that is switched on and asks for a name; `questions` and `languages` are those of its form."""
    questions = given.pop("questions", QUESTIONS)
    form = PublicForm.objects.create(
        organization=organization,
        serves="portal",
        title="Drivers",
        definition=questions,
        languages=given.pop("languages", ["en"]),
    )
    if questions:
        version = FormVersion.objects.create(form=form, number=1, definition=questions)
        form.current, form.state = version, "open"
        form.save()
    values = {"name": "Drivers", "is_on": True, "admission": "open", **given}
    return Portal.objects.create(organization=organization, form=form, slug=slug, **values)


def make_person(portal: Portal, *, phone: str = "+4915112345678", **given: Any) -> PortalUser:
    """Return a person of the portal, active unless said otherwise."""
    values = {"status": "active", "name": "Ada", "region": "DE", "registered_at": Now(), **given}
    person = PortalUser.objects.create(portal=portal, phone=phone, **values)
    person.refresh_from_db()
    return person


def begin_session(person: PortalUser, **given: Any) -> str:
    """Log a person in past the door, and return the token for the cookie."""
    token = secrets.token_urlsafe(32)
    values = {"expires_at": Now() + timedelta(days=30), **given}
    PortalSession.objects.create(user=person, token_hash=hash_of(token), **values)
    return token
