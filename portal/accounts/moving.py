"""A person of a portal gets another number: both were proved, and what hangs on the number follows sensibly.

What is proved is read from the verifications at that moment, under a lock. Whether the new number is somebody else's is
told only now, to who has just proved that it is theirs.
"""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import translation
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from integrations.masking import mask_phone
from integrations.organizations.audit import record
from integrations.organizations.models import Organization
from integrations.phones import Phone, find_region, parse_phone
from messaging.consent.ledger import Action, Entry, Source, State, record_many, state_of
from messaging.consent.models import ConsentPurpose, OptOut
from messaging.consent.opt_outs import opt_out
from messaging.consent.selectors import standing_of
from messaging.contacts.address_book import ContactProblem, Details, create_contact, update_contact
from messaging.contacts.models import Contact
from messaging.sending.outbox import Draft, EnqueueProblem, enqueue
from messaging.verification.models import Verification

from . import sessions
from .models import PortalSession, PortalUser, PortalVisit
from .profile import THEMSELVES
from .texts import first_language
from .visits import proved_by
from .wishes import CHANNEL

SENTENCES = {
    "portal_user.number_changed": "moved the portal user {which} from {old} to {new}",
    "portal_user.old_number_not_told": "could not tell {number}, the former number of {which}, that it was left",
}
LASTS = timedelta(minutes=30)
_SALT = "portal.accounts.moving"


class MoveRefused(Exception):
    """The number stays as it is: a stable `code` and a sentence for the person, in the active language.

    Codes: same, not_proved, taken, ended.
    """

    def __init__(self, code: str, visitor: str) -> None:
        super().__init__(visitor)
        self.code, self.visitor = code, visitor


def begin_move(session: PortalSession) -> PortalVisit:
    """Begin a change of number in this session; what was begun before in it is forgotten."""
    key = _key_of(session)
    with transaction.atomic():
        PortalVisit.objects.filter(secret_hash=key).delete()
        return PortalVisit.objects.create(
            portal=session.user.portal,
            user=session.user,
            secret_hash=key,
            purpose=PortalVisit.Purpose.NUMBER,
            expires_at=Now() + LASTS,
        )


def find_move(session: PortalSession) -> PortalVisit | None:
    """Return the change that was begun in this session, also once it is done (`used_at`) but not for long.

    Another session or browser has none of it.
    """
    return (
        PortalVisit.objects.select_related("portal__organization", "user")
        .filter(
            secret_hash=_key_of(session),
            user=session.user_id,
            purpose=PortalVisit.Purpose.NUMBER,
            expires_at__gt=Now(),
        )
        .first()
    )


def bind_old(visit: PortalVisit, verification: Verification) -> None:
    """Remember by which verification the present number is to be proved."""
    PortalVisit.objects.filter(pk=visit.pk, used_at=None).update(old_verification_id=verification.pk)
    visit.old_verification_id = verification.pk


def bind_new(visit: PortalVisit, verification: Verification) -> bool:
    """Remember by which verification the new number is to be proved; False where another number was entered since."""
    rows = PortalVisit.objects.filter(pk=visit.pk, used_at=None, phone=verification.phone)
    if not rows.update(verification_id=verification.pk):
        return False
    visit.verification_id = verification.pk
    return True


def note_old_proved(visit: PortalVisit) -> bool:
    """Note that the present number is proved, where its verification says so; once noted it stays so for this visit."""
    if visit.old_proved_at is not None:
        return True
    if proved_by(visit, visit.old_verification_id, visit.user.phone if visit.user else "") is None:
        return False
    PortalVisit.objects.filter(pk=visit.pk).update(old_proved_at=Now())
    visit.refresh_from_db(fields=["old_proved_at"])
    return True


def is_new_proved(visit: PortalVisit) -> bool:
    """Tell whether the new number is proved."""
    return proved_by(visit, visit.verification_id, visit.phone) is not None


def enter_number(visit: PortalVisit, phone: Phone) -> None:
    """Keep the new number; another one than before takes its proof away. Raise MoveRefused for the present one."""
    if visit.old_proved_at is None:
        raise MoveRefused("not_proved", _("Confirm your present number first."))
    if visit.user is not None and phone.e164 == visit.user.phone:
        raise MoveRefused("same", _("This is the number that you have already. Enter the new one."))
    if visit.phone != phone.e164:
        PortalVisit.objects.filter(pk=visit.pk, used_at=None).update(
            phone=phone.e164, verification_id=None, proved_at=None
        )
        visit.phone, visit.verification_id, visit.proved_at = phone.e164, None, None


def move(visit: PortalVisit, *, keep: PortalSession | None = None, ip: str = "") -> PortalUser:
    """Give the person the new number, for which both have to be proved; raise MoveRefused.

    The old number is told, the contact and the wishes follow, and the person's sessions end but for `keep`.
    """
    try:
        with transaction.atomic():
            user = _move(visit, ip=ip)
            # With the move or not at all: whoever is logged in elsewhere may have the old number.
            sessions.end_all(user, except_=keep)
            return user
    except IntegrityError as error:
        if "portal_user_once_per_number" not in str(error):
            raise
        raise MoveRefused(
            "taken",
            _(
                "This number has an account of its own here. Log out and log in with it, "
                "or ask %(name)s to remove that account, then come back."
            )
            % {"name": visit.portal.organization.name},
        ) from None


def _move(visit: PortalVisit, *, ip: str) -> PortalUser:
    # Locked against the same button pressed twice, and against a member who suspends the person at this moment.
    row = PortalVisit.objects.select_for_update().filter(pk=visit.pk, used_at=None, expires_at__gt=Now()).first()
    user = (
        PortalUser.objects.select_for_update(of=("self",))
        .select_related("portal__organization", "contact")
        .get(visits=visit.pk)
    )
    if row is None:
        if visit.phone and user.phone == visit.phone:
            return user  # the button was pressed twice
        raise MoveRefused("ended", _("This took too long. Begin again."))
    if user.status != PortalUser.Status.ACTIVE:
        raise MoveRefused("ended", _("Your access has ended. Nothing was changed."))
    is_old_proved = row.old_proved_at is not None and proved_by(row, row.old_verification_id, user.phone)
    if not is_old_proved or not is_new_proved(row):
        raise MoveRefused("not_proved", _("Both numbers have to be confirmed by a code first."))
    old, new = user.phone, row.phone
    user.phone, user.region = new, find_region(new)[:3]
    user.contact = _contact_for(user, old=old)
    PortalUser.objects.filter(pk=user.pk).update(
        phone=new, region=user.region, contact=user.contact, number_since=Now()
    )
    PortalVisit.objects.filter(pk=row.pk).update(used_at=Now(), proved_at=Now())
    organization = user.portal.organization
    _carry_wishes(organization, user, old=old)
    record(
        organization,
        actor=THEMSELVES,
        action="portal_user.number_changed",
        target=user,
        changes={"number": [mask_phone(old), mask_phone(new)]},
        ip=ip,
    )
    _tell_old_number(user, old=old)
    user.refresh_from_db(fields=["number_since"])
    return user


def _key_of(session: PortalSession) -> str:
    """Return what stands for a change of number in this session: its id changes with each login."""
    return salted_hmac(_SALT, f"{session.pk}:{session.token_hash}", algorithm="sha256").hexdigest()


def _contact_for(user: PortalUser, *, old: str) -> Contact | None:
    """Return the contact that is the person's from now on: the one of the new number, or theirs with the new number.

    Theirs keeps the old one where it is somebody else's too, in another portal of the organization.
    """
    if user.contact is None:
        return None
    organization, contact, actor = user.portal.organization, user.contact, THEMSELVES
    known = Contact.objects.filter(organization=organization, phone=user.phone).first()
    if known is not None:
        return known
    phone = parse_phone(user.phone, region=None, allow_magic=True)
    is_shared = PortalUser.objects.filter(contact=contact, phone=old).exclude(pk=user.pk).exists()
    try:
        if is_shared or contact.phone != old:
            return create_contact(
                organization,
                details=Details(phone=phone, name=contact.name, email=contact.email, language=contact.language),
                actor=actor,
            )
        details = Details(
            phone=phone, name=contact.name, email=contact.email, language=contact.language, notes=contact.notes
        )
        update_contact(contact, details=details, actor=actor)
    except ContactProblem as problem:  # somebody became a contact with this number at this moment
        return problem.existing or contact
    return contact


def _carry_wishes(organization: Organization, user: PortalUser, *, old: str) -> None:
    """Let what the person agreed to hold for the new number, and end it for the old one, which is nobody's soon.

    What the new number said for itself stands above it. Who stopped all messages stays without them.
    """
    stopped = [
        row
        for row in standing_of(organization, phone=old)
        if row.scope == OptOut.Scope.ORGANIZATION and row.channel == CHANNEL
    ]
    entries = []
    for purpose in (ConsentPurpose.TRANSACTIONAL, ConsentPurpose.MARKETING):
        former = state_of(organization, phone=old, purpose=purpose)
        if former is None or former.state != State.GRANTED:
            continue
        proof = {"portal": user.portal.name, "portal_id": str(user.portal_id), "portal_user": str(user.pk)}
        if state_of(organization, phone=user.phone, purpose=purpose) is None:
            kept = {name: former.record.evidence[name] for name in _PROOF if name in former.record.evidence}
            moved = {**kept, **proof, "number_changed_from": mask_phone(old), "agreed_by": str(former.record_id)}
            entries.append(
                Entry(phone=user.phone, action=Action.GRANTED, source=Source.PORTAL, purpose=purpose, evidence=moved)
            )
        left = {**proof, "number_changed_to": mask_phone(user.phone)}
        entries.append(Entry(phone=old, action=Action.WITHDRAWN, source=Source.PORTAL, purpose=purpose, evidence=left))
    record_many(organization, entries)
    if stopped:
        opt_out(
            organization,
            phone=user.phone,
            source=OptOut.Source.PORTAL,
            evidence={"portal": user.portal.name, "number_changed_from": mask_phone(old)},
        )


_PROOF = ("form", "form_id", "wording", "wording_version", "submission", "language")


def _tell_old_number(user: PortalUser, *, old: str) -> None:
    """Tell the number that was left, in case its owner did not do this; what keeps the SMS changes nothing."""
    portal = user.portal
    with translation.override(user.language or first_language(portal)):
        text = _(
            "%(portal)s: your account now has the number %(number)s. If that was not you, contact %(name)s at once."
        ) % {"portal": portal.name, "number": mask_phone(user.phone), "name": portal.organization.name}
    try:
        with transaction.atomic():
            enqueue(portal.organization, draft=Draft(to=old, body=text, source="portal"))
    except EnqueueProblem:
        record(
            portal.organization,
            actor=None,
            action="portal_user.old_number_not_told",
            target=user,
            changes={"number": mask_phone(old)},
        )
