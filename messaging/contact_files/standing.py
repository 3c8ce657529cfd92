"""What is known already about the numbers of a batch: contacts, opt-outs, consent. A few statements for hundreds."""

from collections.abc import Collection
from dataclasses import dataclass

from integrations.organizations.models import Organization
from messaging.consent.models import ConsentState, OptOut
from messaging.contacts.erasure.number_keys import keys_of
from messaging.contacts.models import Contact


@dataclass(frozen=True)
class Standing:
    """By number: the contact, who opted out of everything, who of anything, and who took consent back or gave it."""

    contacts: dict[str, Contact]
    opted_out: set[str]
    opted_out_of_some: set[str]
    withdrew: set[str]
    agreed: set[str]


def standing_of(
    organization: Organization, phones: Collection[str], *, purpose: str, is_locked: bool = False
) -> Standing:
    """Return what is known of the numbers; with `is_locked` the contacts are held until the transaction ends."""
    rows = Contact.objects.filter(organization=organization, phone__in=phones).defer("terms", "ordinal").order_by("pk")
    if is_locked:
        # Members change contacts meanwhile; what they write must not be overwritten with what stood before.
        rows = rows.select_for_update(of=("self",))
    # Somebody who was erased, and comes back with a file, is still opted out, and still took the consent back.
    known = {form: phone for phone, forms in keys_of(organization, list(phones)).items() for form in forms}
    opt_outs = OptOut.objects.filter(organization=organization, phone__in=known, ended_at=None)
    rows_of_opt_outs = opt_outs.values_list("phone", "scope", "channel")
    scopes = {(known[form], scope, channel) for form, scope, channel in rows_of_opt_outs}
    consent = ConsentState.objects.filter(
        organization=organization, phone__in=known, purpose=purpose, channel="sms"
    ).values_list("phone", "state")
    # A newer word of the number itself counts, and an erased person's consent is not theirs any more.
    newer = {form for form, _ in consent if form in phones}
    states = {
        (known[form], state)
        for form, state in consent
        if form in phones or (known[form] not in newer and state == ConsentState.State.WITHDRAWN)
    }
    return Standing(
        contacts={contact.phone: contact for contact in rows},
        opted_out={phone for phone, scope, channel in scopes if (scope, channel) == ("organization", "sms")},
        opted_out_of_some={phone for phone, _, _ in scopes},
        withdrew={phone for phone, state in states if state == ConsentState.State.WITHDRAWN},
        agreed={phone for phone, state in states if state == ConsentState.State.GRANTED},
    )
