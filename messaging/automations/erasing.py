"""What automations have to forget of a person who is erased."""

import uuid
from collections.abc import Iterable

from django.db import connection
from django.db.models import Case, CharField, F, Q, QuerySet, Value, When
from django.db.models.functions import Cast, Concat, Now

from messaging.contacts.erasure.erasers import Person
from messaging.happenings.models import Happening

from .models import Run, RunMessage, RunStep
from .moves import ERASED

_Status = Run.Status
_ERASED = "The contact was erased."
# In what other people's runs say of the person, the number is all that names them.
_REPLACE = {
    "runs": "UPDATE messaging_run SET data = replace(data::text, %(phone)s, %(key)s)::jsonb"
    " WHERE id = ANY(%(ids)s) AND strpos(data::text, %(phone)s) > 0",
    "steps": "UPDATE messaging_runstep SET input = replace(input::text, %(phone)s, %(key)s)::jsonb,"
    " output = replace(output::text, %(phone)s, %(key)s)::jsonb,"
    " memory = replace(memory::text, %(phone)s, %(key)s)::jsonb"
    " WHERE id = ANY(%(ids)s)",
}


def forget_runs(person: Person) -> int:
    """Stop the person's runs that wait, and empty all of them; that they ran, when and how they ended, stays.

    The rows are locked first: an engine that carries one of them on has ended its turn by then, and one that has only
    claimed it finds that it is no longer its own.
    """
    Happening.objects.filter(organization=person.organization).filter(
        Q(contact_id=person.contact_id) | Q(phone__in=person.phones)
    ).delete()
    ids = _runs_of(person)
    runs = Run.objects.filter(pk__in=ids)
    list(runs.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
    runs.filter(status__in=[_Status.WAITING, _Status.RUNNING]).update(
        status=_Status.STOPPED, reason=ERASED, ended_at=Now(), wake_key="", claim_token=None, lease_until=None
    )
    # What they sent to whom is forgotten below: tried again, they would send it all once more (moves.can_be_retried).
    runs.filter(status=_Status.FAILED).update(reason=ERASED)
    runs.update(phone=_keys(person), contact=None, data={"trigger": {}, "nodes": {}}, detail=_detail())
    steps = RunStep.objects.filter(run__in=ids)
    steps.filter(ended_at=None).update(status=RunStep.Status.FAILED, reason="erased", ended_at=Now())
    steps.update(input={}, output={}, memory={}, detail=_detail())
    _forget_messages(person, runs)
    return len(ids)


def _runs_of(person: Person) -> list[uuid.UUID]:
    theirs = Run.objects.filter(organization=person.organization)
    # Each by its own index.
    asked = (theirs.filter(contact=person.contact_id), theirs.filter(phone__in=person.phones))
    return sorted({pk for rows in asked for pk in rows.values_list("pk", flat=True)})


def _forget_messages(person: Person, runs: QuerySet[Run]) -> None:
    """Forget what other runs sent to the person, or did not send: an order that a colleague was told of."""
    rows = RunMessage.objects.filter(run__organization=person.organization)
    sent = rows.filter(message__in=person.messages)
    unsent = rows.filter(message=None, key__in=[key for phone in person.phones for key in (phone, f"?{phone}")])
    found = {row.pk: row for part in (sent, unsent) for row in part.only("pk", "run", "step")}
    for phone, key in person.keys.items():
        _replace("runs", {row.run_id for row in found.values()}, phone=phone, key=key)
        _replace("steps", {row.step_id for row in found.values()}, phone=phone, key=key)
    theirs = RunMessage.objects.filter(Q(pk__in=found) | Q(run__in=runs))
    theirs.update(key=Concat(Value("erased:"), Cast("pk", CharField())), detail="")


def _replace(what: str, ids: Iterable[uuid.UUID], *, phone: str, key: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_REPLACE[what], {"ids": list(ids), "phone": phone, "key": key})


def _keys(person: Person) -> Case:
    whens = [When(phone=phone, then=Value(key)) for phone, key in person.keys.items()]
    # A number that another contact has by now stays with that one.
    return Case(*whens, default=F("phone"), output_field=CharField())


def _detail() -> Case:
    """Return what stands in the place of a sentence, which may have named somebody."""
    return Case(When(reason="erased", then=Value(_ERASED)), default=Value(""), output_field=CharField())
