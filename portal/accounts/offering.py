"""Which forms a portal offers its people: chosen by members, shown inside while they take answers."""

import uuid
from collections.abc import Collection

from django.db import transaction

from integrations.organizations.audit import record
from integrations.organizations.models import User
from portal.forms.models import PublicForm
from portal.forms.opening import FormRefused, ensure_open

from .models import Portal, PortalUser
from .offer_models import PortalOffer

SENTENCES = {"portal.offers_changed": "changed the forms that the portal {which} offers: {forms}"}
MOST_OFFERS = 50


class OfferRefused(Exception):
    """Nothing was changed: a sentence for the member."""


def forms_to_offer(portal: Portal) -> list[PublicForm]:
    """Return the organization's forms that can be offered, the newest first: those that are or were published."""
    rows = PublicForm.objects.filter(organization=portal.organization_id, serves=PublicForm.Serves.PUBLIC)
    return list(rows.exclude(state=PublicForm.State.DRAFT).order_by("-id"))


def offered_ids(portal: Portal) -> set[uuid.UUID]:
    """Return the ids of the forms that are offered."""
    return set(portal.offers.values_list("form_id", flat=True))


def change_offers(portal: Portal, *, form_ids: Collection[uuid.UUID], actor: User, ip: str = "") -> bool:
    """Offer these forms and no others; False where these are offered already. Raise OfferRefused."""
    if len(form_ids) > MOST_OFFERS:
        raise OfferRefused(f"A portal offers at most {MOST_OFFERS} forms. Untick some.")
    wanted = {form.pk: form for form in forms_to_offer(portal) if form.pk in set(form_ids)}
    with transaction.atomic():
        # Locked, so that two members who choose at once do not mix their choices.
        Portal.objects.select_for_update().get(pk=portal.pk)
        offered = offered_ids(portal)
        if offered == set(wanted):
            return False
        portal.offers.exclude(form__in=wanted).delete()
        added = [form for pk, form in wanted.items() if pk not in offered]
        PortalOffer.objects.bulk_create(PortalOffer(portal=portal, form=form) for form in added)
        titles = ", ".join(form.title for form in wanted.values())
        record(
            portal.organization,
            actor=actor,
            action="portal.offers_changed",
            target=portal,
            changes={"forms": titles[:300] or "none"},
            ip=ip,
        )
    return True


def forms_for(user: PortalUser) -> list[PublicForm]:
    """Return the forms that this person can fill in now, in the order in which they were offered first."""
    rows = PublicForm.objects.filter(offers__portal=user.portal_id).select_related("organization", "current")
    return [form for form in rows.order_by("offers__pk") if _takes_from(form, phone=user.phone)]


def _takes_from(form: PublicForm, *, phone: str) -> bool:
    try:
        ensure_open(form, phone=phone)
    except FormRefused:
        return False
    return True
