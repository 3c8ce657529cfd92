"""Registering: who has proved a number becomes a person of the portal, all in one transaction or not at all."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from integrations.clock import database_now
from integrations.organizations.audit import record
from integrations.phones import find_region
from portal.forms.answers import Reading
from portal.forms.contacts import keep_contact
from portal.forms.models import FormVersion, Submission
from portal.forms.proof import Proof
from portal.forms.submitting import submit_proved

from . import invitations, visits
from .models import Portal, PortalTerms, PortalUser, PortalVisit
from .people import move
from .selectors import questions_of
from .standing import Standing, Where, standing_of, status_after
from .told import tell_registered

SENTENCES = {"portal_user.registered": "registered in the portal {portal}: {which}"}
_COMING = (PortalUser.Status.INVITED, PortalUser.Status.REJECTED, PortalUser.Status.LEFT)


class RegistrationRefused(Exception):
    """Nobody was registered: a stable `code` and a sentence for the visitor. Codes: over, changed, terms, questions."""

    def __init__(self, code: str, visitor: str) -> None:
        super().__init__(visitor)
        self.code, self.visitor = code, visitor


def register(
    visit: PortalVisit,
    *,
    reading: Reading,
    version: FormVersion | None,
    terms: PortalTerms | None,
    language: str,
    network: str = "",
) -> PortalUser:
    """Make the person of a proved visit, active or waiting as the portal says; raise RegistrationRefused.

    The visit is used up by it, and the invitation where there is one. `version` are the questions that were answered
    and `terms` those that were accepted: where either is no longer the portal's, it has to be read again.
    """
    if not reading.is_good:
        raise ValueError("Only good answers are kept.")
    with transaction.atomic():
        # Held against two windows that send at once; the portal, against rules that change meanwhile.
        row = PortalVisit.objects.select_for_update().filter(pk=visit.pk, used_at=None, expires_at__gt=Now()).first()
        portal = (
            Portal.objects.select_for_update(of=("self",), no_key=True)
            .select_related("organization", "form__current", "terms")
            .get(pk=visit.portal_id)
        )
        proof = visits.proof_of(visit) if row is not None else None
        if proof is None or not portal.is_on:
            raise RegistrationRefused("over", _("This took too long. Please begin again with your number."))
        portal.form.organization = portal.organization
        _check_unchanged(portal, version=version, terms=terms)
        standing = standing_of(portal, visit.phone)
        if standing.where is not Where.REGISTER:
            raise RegistrationRefused("changed", "")
        user = _person(portal, standing, phone=visit.phone)
        _keep(user, reading, proof=proof, version=version, terms=terms, language=language, network=network)
        if not visits.use(visit, user):
            raise RegistrationRefused("over", _("This took too long. Please begin again with your number."))
        changes = {"portal": portal.name}
        record(portal.organization, actor="Portal user", action="portal_user.registered", target=user, changes=changes)
        tell_registered(user)
    return user


def _check_unchanged(portal: Portal, *, version: FormVersion | None, terms: PortalTerms | None) -> None:
    if portal.terms_id is not None and (terms is None or terms.pk != portal.terms_id):
        raise RegistrationRefused("terms", _("The terms have changed meanwhile. Please read them again."))
    if portal.form.current_id != (version.pk if version is not None else None):
        raise RegistrationRefused("questions", _("The questions have changed meanwhile. Please look at them again."))


def _person(portal: Portal, standing: Standing, *, phone: str) -> PortalUser:
    """Return the person with the new status: a new one, or one who was invited, rejected, or had left."""
    status = status_after(portal, standing)
    values: dict[str, Any] = {"registered_at": Now(), "decided_by": None, "decided_at": None, "decision_reason": ""}
    role = portal.roles.filter(is_default=True).first()
    if standing.user is None:
        try:
            with transaction.atomic():
                user = PortalUser.objects.create(
                    portal=portal, phone=phone, region=find_region(phone)[:3], status=status, role=role, **values
                )
        except IntegrityError as error:  # the same number in another window, or invited at this moment
            raise RegistrationRefused("changed", "") from error
    else:
        user = standing.user
        # A role is given with an invitation and ends with it, as it does with an account: who comes by the open door
        # is a newcomer. The number may be somebody else's by now, too, than when its account ended.
        values["role"] = user.role or role if standing.invitation is not None else role
        if user.status == PortalUser.Status.LEFT:
            values |= {"name": "", "language": ""}
        if not move(user, to=status, only_from=_COMING, **values):
            raise RegistrationRefused("changed", "")
    if standing.invitation is not None and not invitations.use(standing.invitation):
        raise RegistrationRefused("changed", "")
    user.portal = portal
    return user


def _keep(
    user: PortalUser,
    reading: Reading,
    *,
    proof: Proof,
    version: FormVersion | None,
    terms: PortalTerms | None,
    language: str,
    network: str,
) -> None:
    """Keep what was entered and accepted, with the contact that comes of it."""
    form = user.portal.form
    questions = questions_of(user.portal)
    submission: Submission | None = None
    if version is not None and questions.fields:
        submission = submit_proved(
            form, version=version, reading=reading, phone=user.phone, proof=proof, language=language, network=network
        )
        user.contact = submission.contact
    elif form.updates_contact:
        user.contact = keep_contact(form, questions, {}, phone=user.phone, language=language, is_proved=True)
    named = next((str(reading.answers.get(one.key, "")) for one in questions.fields if one.saves_as == "name"), "")
    user.name = (named or user.name)[:120]
    user.language, user.submission = language, submission
    if terms is not None:
        user.terms, user.terms_at = terms, database_now()
    user.save(update_fields=["name", "language", "submission", "contact", "terms", "terms_at"])
