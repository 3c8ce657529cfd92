"""What portals have to forget of a person who is erased."""

from django.db.models import Q

from messaging.contacts.erasure.erasers import Person

from .batch_models import PortalInvitationRow
from .models import PortalUser, PortalVisit
from .people import forget


def forget_portal_people(person: Person) -> int:
    """Empty what the organization's portals know of the person; rows without a number keep the statistics true."""
    users = (
        PortalUser.objects.filter(portal__organization=person.organization)
        .filter(Q(phone__in=person.phones) | Q(contact=person.contact_id))
        .exclude(phone="")
        .select_related("portal")
    )
    count = 0
    for user in users:
        forget(user)
        count += 1
    rows = PortalInvitationRow.objects.filter(batch__portal__organization=person.organization)
    rows.filter(phone__in=person.phones).delete()
    PortalVisit.objects.filter(portal__organization=person.organization, phone__in=person.phones).delete()
    return count
