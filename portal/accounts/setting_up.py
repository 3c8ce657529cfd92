"""Setting up a portal: making it, its rules, terms and roles, switching it on and off. Texts are in texts.py."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from integrations.organizations.audit import record
from integrations.organizations.models import Organization, User
from messaging.contacts.address_book import plain_line
from portal.forms.building import publish
from portal.forms.definition import Definition, Kind, new_field, plain_text
from portal.forms.models import FormStep, PublicForm
from portal.forms.public.languages import LANGUAGES

from .models import Portal, PortalRole, PortalTerms

SENTENCES = {
    "portal.created": "made the portal {which}",
    "portal.changed": "changed {parts} of the portal {which}",
    "portal.switched_on": "switched the portal {which} on",
    "portal.switched_off": "switched the portal {which} off",
    "portal.deleted": "deleted the portal {which}",
    "portal.terms_published": "published version {version} of the terms of the portal {which}",
    "portal.terms_removed": "took the terms from the portal {which}",
    "portal.role_added": "added the role {role} to the portal {which}",
    "portal.role_renamed": "renamed the role {old} of the portal {which} to {new}",
    "portal.role_default": "made {role} the role of whoever registers in the portal {which}",
    "portal.role_removed": "removed the role {role}, which {people} people had, from the portal {which}",
}
# What members read of each part in the audit log.
_NAMES: dict[str, str] = {
    "name": "name",
    "slug": "address",
    "admission": "who may come",
    "may_apply_again": "whether rejected people may apply again",
    "session_days": "length of a login",
    "invitation_days": "length of an invitation",
    "reminder_days": "reminder of invitations",
    "offers_password": "passwords",
    "offers_passkeys": "passkeys",
    "tells_new_logins": "texts about new logins",
}
MOST_PORTALS = 100
MOST_ROLES = 50
LONGEST_TERMS = 20_000  # in eight languages they still fit into one request
LONGEST_NAME = 80
LONGEST_ROLE = 40
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,48}[a-z0-9])")


class SetupProblem(Exception):
    """Nothing was changed: a sentence for the member, and the field it belongs to where there is one."""

    def __init__(self, detail: str, *, part: str = "") -> None:
        super().__init__(detail)
        self.detail, self.part = detail, part


def create_portal(organization: Organization, *, name: str, slug: str = "", actor: User, ip: str = "") -> Portal:
    """Make a portal, switched off, that asks for a name besides the number; raise SetupProblem.

    Without a slug the address is made of the name.
    """
    name = clean_name(name)
    if Portal.objects.filter(organization=organization).count() >= MOST_PORTALS:
        raise SetupProblem(f"An organization has at most {MOST_PORTALS} portals. Delete one that nobody needs.")
    slug = clean_slug(slug) if slug.strip() else _free_slug(name)
    asks = Definition((replace(new_field(Kind.SHORT_TEXT, key="f1"), required=True, saves_as="name"),))
    try:
        with transaction.atomic():
            form = PublicForm.objects.create(
                organization=organization,
                serves=PublicForm.Serves.PORTAL,
                title=name,
                definition=asks.as_json(),
                next_key=2,
                languages=["en"],
                created_by=actor,
            )
            FormStep.objects.create(form=form, number=1, definition=form.definition)
            portal = Portal.objects.create(organization=organization, form=form, name=name, slug=slug, created_by=actor)
            record(organization, actor=actor, action="portal.created", target=portal, ip=ip)
            publish(form, actor=actor, ip=ip)
    except IntegrityError as taken:
        raise _slug_taken(slug) from taken
    portal.refresh_from_db()
    return portal


def change_portal(portal: Portal, *, values: Mapping[str, Any], actor: User, ip: str = "") -> list[str]:
    """Save the parts that differ and return their names; raise SetupProblem. The audit log says which parts."""
    values = dict(values)
    if "name" in values:
        values["name"] = clean_name(values["name"])
    if "slug" in values:
        values["slug"] = clean_slug(values["slug"])
    changed = [name for name in _NAMES if name in values and getattr(portal, name) != values[name]]
    if not changed:
        return []
    before = {name: getattr(portal, name) for name in changed}
    for name in changed:
        setattr(portal, name, values[name])
    try:
        with transaction.atomic():
            portal.save(update_fields=[*changed, "updated_at"])
            if "name" in changed:
                # One name on pages and in texts: the form has none of its own.
                PublicForm.objects.filter(pk=portal.form_id).update(title=portal.name)
                portal.form.title = portal.name
            changes = {"parts": ", ".join(_NAMES[name] for name in changed)}
            record(portal.organization, actor=actor, action="portal.changed", target=portal, changes=changes, ip=ip)
    except IntegrityError as taken:
        for name, value in before.items():
            setattr(portal, name, value)
        if "slug" not in changed:
            raise
        raise _slug_taken(values["slug"]) from taken
    return changed


def switch(portal: Portal, *, on: bool, actor: User, ip: str = "") -> bool:
    """Let people in from now on, or nobody; False where it stood so already."""
    with transaction.atomic():
        changed = Portal.objects.filter(pk=portal.pk, is_on=not on).update(is_on=on)
        if changed:
            action = "portal.switched_on" if on else "portal.switched_off"
            record(portal.organization, actor=actor, action=action, target=portal, ip=ip)
    portal.is_on = on
    return bool(changed)


def publish_terms(portal: Portal, *, texts: Mapping[str, str], actor: User, ip: str = "") -> PortalTerms:
    """Make these the terms that are accepted from now on; raise SetupProblem.

    `texts` maps languages to terms; empty ones are left out. The same texts again stay the version they are.
    """
    kept = {code: text for code, raw in texts.items() if code in LANGUAGES and (text := plain_text(raw))}
    if not kept:
        raise SetupProblem("Write the terms in at least one language.")
    for code, text in kept.items():
        if len(text) > LONGEST_TERMS:
            words = f"Terms have at most {LONGEST_TERMS:,} characters; these have {len(text):,}. Shorten them."
            raise SetupProblem(words, part=code)
    with transaction.atomic():
        row = _locked(portal)
        if row.terms is not None and row.terms.texts == kept:
            return row.terms
        newest = row.all_terms.order_by("-number").values_list("number", flat=True).first() or 0
        terms = PortalTerms.objects.create(portal=row, number=newest + 1, texts=kept, created_by=actor)
        Portal.objects.filter(pk=row.pk).update(terms=terms)
        changes = {"version": terms.number}
        record(row.organization, actor=actor, action="portal.terms_published", target=row, changes=changes, ip=ip)
    portal.terms = terms
    return terms


def remove_terms(portal: Portal, *, actor: User, ip: str = "") -> bool:
    """Ask nobody to accept anything any more; who accepted what stays. False where there were no terms."""
    with transaction.atomic():
        changed = Portal.objects.filter(pk=portal.pk, terms__isnull=False).update(terms=None)
        if changed:
            record(portal.organization, actor=actor, action="portal.terms_removed", target=portal, ip=ip)
    portal.terms = None
    return bool(changed)


def add_role(portal: Portal, *, name: str, actor: User, ip: str = "") -> PortalRole:
    """Add a role; raise SetupProblem."""
    name = _role_name(name)
    with transaction.atomic():
        row = _locked(portal)
        if row.roles.count() >= MOST_ROLES:
            raise SetupProblem(f"A portal has at most {MOST_ROLES} roles. Remove one first.", part="name")
        _ensure_new(row, name)
        role = PortalRole.objects.create(portal=row, name=name)
        record(row.organization, actor=actor, action="portal.role_added", target=row, changes={"role": name}, ip=ip)
    return role


def rename_role(role: PortalRole, *, name: str, actor: User, ip: str = "") -> bool:
    """Call a role otherwise; False where it is called so. Raise SetupProblem."""
    name = _role_name(name)
    with transaction.atomic():
        portal = _locked(role.portal)
        role.refresh_from_db(fields=["name"])
        if role.name == name:
            return False
        _ensure_new(portal, name, but=role)
        changes = {"name": [role.name, name]}
        role.name = name
        role.save(update_fields=["name"])
        record(portal.organization, actor=actor, action="portal.role_renamed", target=portal, changes=changes, ip=ip)
    return True


def set_default_role(portal: Portal, *, role: PortalRole | None, actor: User, ip: str = "") -> bool:
    """Give whoever registers from now on this role, or none; False where it is so already."""
    with transaction.atomic():
        row = _locked(portal)
        former = row.roles.filter(is_default=True).first()
        if former == role:
            return False
        row.roles.filter(is_default=True).update(is_default=False)
        if role is not None:
            row.roles.filter(pk=role.pk).update(is_default=True)
        changes = {"role": role.name if role is not None else "no role"}
        record(row.organization, actor=actor, action="portal.role_default", target=row, changes=changes, ip=ip)
    return True


def remove_role(role: PortalRole, *, actor: User, ip: str = "") -> int:
    """Remove a role and return how many people had it; they stay, without a role."""
    with transaction.atomic():
        portal = _locked(role.portal)
        people = role.users.count()
        changes = {"role": role.name, "people": people}
        record(portal.organization, actor=actor, action="portal.role_removed", target=portal, changes=changes, ip=ip)
        role.delete()
    return people


def delete_portal(portal: Portal, *, actor: User, ip: str = "") -> None:
    """Delete a portal that nobody was ever in; raise SetupProblem for one that has people."""
    with transaction.atomic():
        row = _locked(portal)
        if row.users.exists():
            raise SetupProblem("This portal has people. Switch it off instead: what they did stays to be looked up.")
        record(row.organization, actor=actor, action="portal.deleted", target=row, ip=ip)
        form = row.form
        row.delete()
        form.drafts.all().delete()
        PublicForm.objects.filter(pk=form.pk).update(current=None, state=PublicForm.State.DRAFT)
        form.delete()


def clean_name(name: str) -> str:
    """Return a portal's name as it is kept; raise SetupProblem."""
    name = plain_line(name)
    if not name:
        raise SetupProblem("Give the portal a name.", part="name")
    if len(name) > LONGEST_NAME:
        raise SetupProblem(f"A name has at most {LONGEST_NAME} characters.", part="name")
    return name


def clean_slug(slug: str) -> str:
    """Return the part of an address as it is kept; raise SetupProblem."""
    slug = slug.strip().lower()
    if not _SLUG.fullmatch(slug) or "--" in slug:
        words = "Write 3 to 50 small letters (a to z), digits and single hyphens, like acme-drivers."
        raise SetupProblem(words, part="slug")
    return slug


def _free_slug(name: str) -> str:
    """Return an address made of the name that is free at this moment."""
    base = re.sub(r"-+", "-", slugify(name).replace("_", "-"))[:40].strip("-")
    if len(base) < 3:
        base = f"portal-{base}".strip("-")
    taken = set(Portal.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(slug for slug in (base, *(f"{base}-{count}" for count in range(2, 100_000))) if slug not in taken)


def _slug_taken(slug: str) -> SetupProblem:
    return SetupProblem(f"The address “{slug}” is taken. Choose another one.", part="slug")


def _role_name(name: str) -> str:
    name = plain_line(name)
    if not name:
        raise SetupProblem("Give the role a name.", part="name")
    if len(name) > LONGEST_ROLE:
        raise SetupProblem(f"A role’s name has at most {LONGEST_ROLE} characters.", part="name")
    return name


def _ensure_new(portal: Portal, name: str, *, but: PortalRole | None = None) -> None:
    others = portal.roles.filter(name__iexact=name)
    if but is not None:
        others = others.exclude(pk=but.pk)
    if others.exists():
        raise SetupProblem(f"There is a role “{name}” already.", part="name")


def _locked(portal: Portal) -> Portal:
    """Return the portal as it is now, locked, so that of two members who change it at once one follows the other."""
    Portal.objects.select_for_update(no_key=True).only("pk").get(pk=portal.pk)
    return Portal.objects.select_related("organization", "form", "terms").get(pk=portal.pk)
