"""Erasing a person: nothing says who it was any more, and who opted out is still not written to."""

import json
import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection as database
from django.db import transaction
from django.db.utils import DatabaseError
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.organizations.models import AuditEntry
from integrations.phones import parse_phone
from messaging.broadcasts.models import Broadcast, Recipient, RecipientBatch
from messaging.consent.blocking import consent_blocks
from messaging.consent.ledger import Entry, record_consent
from messaging.consent.models import ConsentRecord, OptOut
from messaging.consent.opt_outs import STOP_TAG, opt_in, opt_out
from messaging.consent.selectors import standing_of
from messaging.contacts.address_book import Details, add_tag, create_contact, update_contact
from messaging.contacts.bulk import Choice
from messaging.contacts.erasure import erasing, number_keys
from messaging.contacts.models import Contact, ErasureSecret
from messaging.csv_files.models import Upload, UploadChunk
from messaging.inbound.receive import receive
from messaging.inbox.models import Conversation
from messaging.jobs import work
from messaging.jobs.models import Job
from messaging.receipts.models import Callback
from messaging.retention.models import TwilioRemoval
from messaging.sending.models import IdempotencyKey, Message, MessageEvent
from messaging.sending.outbox import Draft, enqueue
from messaging.sending.statuses import Status
from tests.conftest import Cast
from tests.factories import ContactFactory, MessageFactory, fernet_key

PHONE, OTHER = "+4915112349876", "+4915112340000"
TRACES = ("Xaverine", "xaverine@example.com", "12349876", "secret words")


@pytest.fixture
def person(cast: Cast) -> Contact:
    details = Details(phone=parse_phone(PHONE, region="DE"), name="Xaverine Quast", email="xaverine@example.com")
    contact = create_contact(cast.organization, details=details, actor=cast.agent)
    add_tag(contact, name="VIP", actor=cast.agent)
    return contact


def erase(cast: Cast, *people: Contact) -> Job:
    job = erasing.start_erasing(
        cast.organization, choice=Choice(ids=tuple(one.pk for one in people)), total=len(people), actor=cast.owner
    )
    work.run(job.pk)
    job.refresh_from_db()
    return job


def traces() -> dict[str, str]:
    """Return the rows of the whole database in which something of the person stands."""
    found = {}
    for model in apps.get_models():
        if model._meta.managed and not model._meta.proxy:
            with database.cursor() as cursor:
                cursor.execute(f'SELECT row_to_json(t)::text FROM "{model._meta.db_table}" t')
                for (row,) in cursor.fetchall():
                    if any(trace in row for trace in TRACES):
                        found[model.__name__] = row
    return found


def furnish(cast: Cast, connection: Connection, person: Contact) -> dict[str, Message]:
    """Give the person a history in every room."""
    organization = cast.organization
    made = {
        status: MessageFactory(
            organization=organization, connection=connection, contact=person, phone=PHONE, body="secret words",
            status=status, provider_sid=f"SM{number:032x}" if status in {"delivered", "accepted"} else "",
            finished_at=timezone.now() if status == "delivered" else None,
        )
        for number, status in enumerate(("delivered", "queued", "scheduled", "accepted"))
    }  # fmt: skip
    MessageEvent.objects.create(message=made["delivered"], status="delivered", source="callback", note="secret words")
    IdempotencyKey.objects.create(
        organization=organization, key="order-1", body_hash="0" * 64, message=made["delivered"]
    )
    told = {"From": PHONE, "Body": "secret words"}
    Callback.objects.create(connection=connection, kind="inbound", params=told, checked_with="x", outcome="applied")
    Callback.objects.create(
        connection=connection, kind="status", params={"To": PHONE}, message_id=made["delivered"].pk, checked_with="x"
    )
    Conversation.objects.create(organization=organization, phone=PHONE, contact=person, last_text="secret words")
    record_consent(
        organization,
        Entry(phone=PHONE, action="granted", source="staff", reason="Xaverine said so at the fair"),
        actor=cast.agent,
    )
    upload = Upload.objects.create(organization=organization, name="people.csv")
    UploadChunk.objects.create(upload=upload, number=0, data=b"name,phone\nX,+4915112349876\n")
    broadcast = Broadcast.objects.create(
        organization=organization, name="News", audience="contacts", status="running", ready_count=2, fed_count=0
    )
    rows: list[dict[str, Any]] = [
        {"row": 1, "phone": PHONE, "contact": person, "variables": {"name": "Xaverine"}, "body": "secret words"},
        {"row": 2, "phone": OTHER},
    ]
    for row in rows:
        Recipient.objects.create(broadcast=broadcast, state="ready", **row)
    return made


def test_a_number_handed_over_in_another_writing_is_forgotten_before_it_is_checked(cast: Cast, person: Contact) -> None:
    broadcast = Broadcast.objects.create(organization=cast.organization, name="News", audience="api")
    writings = ["+49 (151) 1234-9876", "0151 12349876", "0049 151 12349876"]
    stays = [{"to": "0151 1234 0000"}, {"to": "12-9876"}, {"to": "nonsense"}]
    given = [{"to": one, "variables": {"name": "Xaverine"}} for one in writings]
    batch = RecipientBatch.objects.create(broadcast=broadcast, first_row=1, count=6, recipients=[*given, *stays])
    erase(cast, person)
    batch.refresh_from_db()
    assert batch.recipients == [{"to": ""}] * 3 + stays


def test_a_stop_that_nobody_has_read_yet_outlives_the_erasure(
    cast: Cast, connection: Connection, person: Contact
) -> None:
    told = {"MessageSid": "SM" + "9" * 32, "From": PHONE, "To": "+15550001111", "Body": "STOP"}
    waiting = Callback.objects.create(connection=connection, kind="inbound", params=told, checked_with="x")
    erase(cast, person)
    assert receive(Callback.objects.get(pk=waiting.pk)) == "applied"
    assert consent_blocks(cast.organization, [PHONE], purpose="transactional") == {PHONE: "opted_out"}


def test_nothing_says_who_it_was_any_more(cast: Cast, connection: Connection, person: Contact) -> None:
    made = furnish(cast, connection, person)
    opt_out(cast.organization, phone=PHONE, source=OptOut.Source.KEYWORD, keyword="STOP")
    assert {"Contact", "Message", "Callback", "Conversation", "ConsentRecord", "AuditEntry"} <= set(traces())
    job = erase(cast, person)
    assert job.state == Job.State.DONE, job.error
    assert traces() == {}
    assert not Contact.objects.filter(pk=person.pk).exists()
    delivered = Message.objects.get(pk=made["delivered"].pk)
    assert (delivered.status, delivered.body, delivered.contact) == ("delivered", "", None)
    assert delivered.phone.startswith("#")
    assert delivered.redacted_at is not None
    assert {made[name].pk for name in ("queued", "scheduled")} == set(
        Message.objects.filter(status=Status.CANCELED, error_reason="erased").values_list("pk", flat=True)
    )
    assert not Upload.objects.exists()
    recipient = Recipient.objects.get(row=1)
    assert (recipient.state, recipient.reason) == ("left_out", "erased")
    broadcast = Broadcast.objects.get()
    assert (broadcast.ready_count, broadcast.left_out_count) == (1, 1)
    assert set(TwilioRemoval.objects.values_list("sid", "what")) == {
        (made[name].provider_sid, "message") for name in ("delivered", "accepted")
    }
    assert ConsentRecord.objects.exists()


def test_who_opted_out_is_still_not_written_to_whatever_way_the_number_comes_back(
    cast: Cast, connection: Connection, person: Contact
) -> None:
    opt_out(cast.organization, phone=PHONE, source=OptOut.Source.KEYWORD)
    erase(cast, person)
    message = enqueue(cast.organization, draft=Draft(to=PHONE, body="Hello"))
    assert (message.status, message.error_reason) == ("blocked", "opted_out")
    phones = [PHONE, OTHER]
    assert consent_blocks(cast.organization, phones, purpose="transactional") == {PHONE: "opted_out"}
    details = Details(phone=parse_phone(PHONE, region="DE"))
    again = create_contact(cast.organization, details=details, actor=cast.agent)
    assert again.tags.filter(name=STOP_TAG).exists()
    assert standing_of(cast.organization, phone=PHONE)
    # Erased once more, with an opt-out of the same reach meanwhile: one stands.
    opt_out(cast.organization, phone=PHONE, source=OptOut.Source.KEYWORD)
    erase(cast, again)
    assert OptOut.objects.filter(ended_at=None).count() == 1
    assert enqueue(cast.organization, draft=Draft(to=PHONE, body="Hello")).status == "blocked"
    # Only the person's own START ends it.
    assert opt_in(cast.organization, phone=PHONE, source=OptOut.Source.KEYWORD) == 1
    assert enqueue(cast.organization, draft=Draft(to=PHONE, body="Hello")).status == "queued"


def test_stop_of_a_person_who_came_back_outranks_what_a_member_had_written_down(
    cast: Cast, connection: Connection, person: Contact
) -> None:
    opt_out(cast.organization, phone=PHONE, source=OptOut.Source.STAFF, actor=cast.agent)
    erase(cast, person)
    details = Details(phone=parse_phone(PHONE, region="DE"))
    again = create_contact(cast.organization, details=details, actor=cast.agent)
    opt_out(cast.organization, phone=PHONE, source=OptOut.Source.KEYWORD)
    erase(cast, again)
    assert OptOut.objects.get(ended_at=None).source == OptOut.Source.KEYWORD
    assert enqueue(cast.organization, draft=Draft(to=PHONE, body="Hello")).status == "blocked"


def test_rotating_the_keys_of_the_installation_changes_nothing(
    cast: Cast, connection: Connection, person: Contact, settings: Any
) -> None:
    opt_out(cast.organization, phone=PHONE, source=OptOut.Source.KEYWORD)
    erase(cast, person)
    settings.CREDENTIAL_KEYS = [fernet_key(), *settings.CREDENTIAL_KEYS]
    before = ErasureSecret.objects.get().secret.token
    call_command("rotate_credentials")
    assert ErasureSecret.objects.get().secret.token != before
    number_keys._known.clear()
    assert enqueue(cast.organization, draft=Draft(to=PHONE, body="Hello")).status == "blocked"


def test_another_organization_knows_nothing_of_it(cast: Cast, person: Contact) -> None:
    theirs = ContactFactory(organization=cast.other, phone=PHONE, name="Xaverine Quast")
    opt_out(cast.organization, phone=PHONE, source=OptOut.Source.KEYWORD)
    erase(cast, person)
    theirs.refresh_from_db()
    assert theirs.name == "Xaverine Quast"
    assert consent_blocks(cast.other, [PHONE], purpose="transactional") == {}
    keys = {number_keys.number_key(one, PHONE) for one in (cast.organization, cast.other)}
    assert len(keys) == 2
    assert all(len(key) == 16 for key in keys)


def test_a_message_under_way_is_waited_for_and_then_forgotten(
    cast: Cast, connection: Connection, person: Contact
) -> None:
    token = uuid.uuid4()
    message = MessageFactory(
        organization=cast.organization, connection=connection, contact=person, phone=PHONE, status="sending",
        claim_token=token, lease_until=timezone.now() + timedelta(seconds=30),
    )  # fmt: skip
    job = erasing.start_erasing(cast.organization, choice=Choice(ids=(person.pk,)), total=1, actor=cast.owner)
    Job.objects.filter(pk=job.pk).update(state="running", lease_token=token, started_at=timezone.now())
    job = Job.objects.select_related("organization").get(pk=job.pk)
    assert erasing.erase_step(job, time.monotonic() + 0.2) is False
    assert Contact.objects.filter(pk=person.pk).exists()
    assert job.note == "1 wait for the outcome of a message"
    Message.objects.filter(pk=message.pk).update(status="delivered", claim_token=None, lease_until=None)
    assert erasing.erase_step(job, time.monotonic() + 0.2) is True
    assert not Contact.objects.filter(pk=person.pk).exists()
    assert job.done == 1


def test_what_nobody_can_find_out_ends_when_patience_does(cast: Cast, connection: Connection, person: Contact) -> None:
    message = MessageFactory(
        organization=cast.organization, connection=connection, contact=person, phone=PHONE, status="unknown",
        needs_person=True,
    )  # fmt: skip
    assert erase(cast, person).state == Job.State.DONE
    message.refresh_from_db()
    assert (message.status, message.error_reason, message.body) == ("canceled", "erased", "")


def test_a_number_that_another_contact_has_by_now_stays_theirs(
    cast: Cast, connection: Connection, person: Contact
) -> None:
    """The person's messages went to their former number, which somebody else has now."""
    MessageFactory(organization=cast.organization, connection=connection, contact=person, phone=PHONE, body="for X")
    update_contact(
        person, details=Details(phone=parse_phone(OTHER, region="DE"), name="Xaverine Quast"), actor=cast.agent
    )
    heir = ContactFactory(organization=cast.organization, phone=PHONE, name="Heir")
    opt_out(cast.organization, phone=PHONE, source=OptOut.Source.KEYWORD)
    theirs = MessageFactory(organization=cast.organization, connection=connection, contact=heir, phone=PHONE, body="hi")
    erase(cast, person)
    theirs.refresh_from_db()
    assert (theirs.phone, theirs.body, theirs.contact) == (PHONE, "hi", heir)
    assert OptOut.objects.get().phone == PHONE
    assert not Message.objects.filter(body="for X").exists()


def test_the_audit_log_forgets_by_that_function_alone(cast: Cast, person: Contact) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEntry.objects.update(object_label="x")
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEntry.objects.all().delete()
    erase(cast, person)
    entry = AuditEntry.objects.get(action="contact.created")
    assert (entry.object_label, entry.changes, entry.actor_label) == ("an erased contact", {}, "agent@acme.example")
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEntry.objects.update(object_label="x")


def test_the_page_wants_the_word_and_shows_what_was_removed(
    cast: Cast, connection: Connection, person: Contact
) -> None:
    client, url = cast.client("agent"), cast.url(f"contacts/{person.pk}/erase/")
    page = client.get(url).content.decode()
    assert "Erase Xaverine Quast for good" in page
    assert "who opted out is still not texted" in page
    assert client.post(url, {"typed": "yes"}).status_code == 422
    assert Contact.objects.filter(pk=person.pk).exists()
    started = client.post(url, {"typed": " Erase "})
    job = Job.objects.get()
    assert started.url == cast.url(f"contacts/work/{job.pk}/")
    work.run(job.pk)
    shown = client.get(started.url).content.decode()
    assert "Kept, and why" in shown
    assert "keyed hash" in shown
    assert "Xaverine" not in shown
    assert "Xaverine" not in json.dumps(Job.objects.get().cursor)
    assert client.get(url).status_code == 404


@pytest.mark.parametrize(("who", "status"), [("viewer", 403), ("stranger", 404), (None, 302)])
def test_only_agents_and_above_erase(cast: Cast, person: Contact, who: str | None, status: int) -> None:
    url = cast.url(f"contacts/{person.pk}/erase/")
    assert cast.client(who).post(url, {"typed": "erase"}).status_code == status
    assert not Job.objects.exists()


def test_many_are_erased_from_the_list_with_the_word(cast: Cast, person: Contact) -> None:
    client, url = cast.client("agent"), cast.url("contacts/bulk/")
    data = {"action": "erase", "contact": str(person.pk), "confirmed": "1"}
    assert client.post(url, data).status_code == 422
    client.post(url, {**data, "typed": "erase"})
    work.run(Job.objects.get().pk)
    assert not Contact.objects.filter(pk=person.pk).exists()
