"""Reminders, erasing with the contact, the contact's timeline, and jobs that are interrupted."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.organizations.audit_sentences import line_of
from integrations.organizations.models import AuditEntry
from messaging.contacts.erasure.erasing import erase_person
from messaging.contacts.timeline import timeline
from messaging.jobs import work
from messaging.jobs.models import Job
from messaging.sending.models import Message
from portal.accounts import notifying
from portal.accounts.batch_models import PortalInvitationBatch, PortalInvitationRow
from portal.accounts.invitations import invite, revoke
from portal.accounts.inviting_many import forget_rows, from_contacts
from portal.accounts.models import Portal, PortalInvitation, PortalNotification, PortalRole, PortalSending, PortalUser
from portal.accounts.notifying import Plan
from portal.accounts.reminding import send_reminders
from tests.conftest import Cast
from tests.factories import ContactFactory

from .conftest import NUMBERS, make_portal, person

pytestmark = pytest.mark.django_db


def make_due(**wanted: Any) -> None:
    PortalInvitation.objects.filter(**wanted).update(remind_at=timezone.now() - timedelta(minutes=1))


def test_whoever_has_not_answered_is_reminded_once(cast: Cast, portal: Portal) -> None:
    Portal.objects.update(reminder_days=3)
    portal.refresh_from_db()
    due, taken_back, not_yet = (invite(portal, phone=NUMBERS[n], actor=cast.owner) for n in range(3))
    make_due(pk__in=[due.pk, taken_back.pk])
    revoke(taken_back, actor=cast.owner)
    assert send_reminders() == 1
    assert send_reminders() == 0
    assert list(PortalSending.objects.filter(kind="reminder").values_list("user", flat=True)) == [due.user_id]
    not_yet.refresh_from_db()
    assert not_yet.reminded_at is None


def test_a_portal_that_is_off_reminds_nobody(cast: Cast, portal: Portal) -> None:
    invite(portal, phone=NUMBERS[0], actor=cast.owner)
    make_due()
    Portal.objects.update(is_on=False)
    assert send_reminders() == 0


def test_erasing_the_contact_forgets_the_person_in_every_portal_of_the_organization(cast: Cast, portal: Portal) -> None:
    contact = ContactFactory(organization=cast.organization, phone=NUMBERS[1], name="Driver 1")
    user = person(portal, 1, answers=True, contact=contact)
    second = person(make_portal(cast, name="Second"), 1)
    foreign = person(make_portal(cast, name="Theirs", stranger=True), 1)
    batch = PortalInvitationBatch.objects.create(portal=portal, source="contacts")
    PortalInvitationRow.objects.create(batch=batch, row=1, phone=NUMBERS[1])
    removed = erase_person(contact)
    assert removed["people of portals"] == 2
    for one in (user, second):
        one.refresh_from_db()
        assert (one.phone, one.name) == ("", "")
    foreign.refresh_from_db()
    assert foreign.phone == NUMBERS[1]
    assert not batch.rows.exists()


def test_the_contacts_timeline_tells_of_portals(cast: Cast, portal: Portal) -> None:
    contact = ContactFactory(organization=cast.organization, phone=NUMBERS[1])
    invitation = invite(portal, phone=NUMBERS[1], actor=cast.owner)
    PortalUser.objects.filter(pk=invitation.user_id).update(status="active", registered_at=timezone.now())
    told = [entry.text for entry in timeline(cast.organization, contact).entries]
    assert "Invited to the portal “Driver portal”" in told
    assert "Registered in the portal “Driver portal”" in told


def notify(cast: Cast, portal: Portal) -> Job:
    row = notifying.send(
        portal, Plan(audience="all", text="Hello"), request_id=PortalNotification().pk, actor=cast.owner
    )
    assert row.job is not None
    return row.job


def test_a_notification_that_is_interrupted_goes_on_and_reaches_each_once(
    cast: Cast, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [person(portal, n) for n in range(7)]
    monkeypatch.setattr(notifying, "_SLICE", 3)
    job = notify(cast, portal)
    saved = work.save_progress
    calls = []

    def killed(*args: Any, **kwargs: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise work.JobLost  # somebody else took over in the middle of the second slice
        saved(*args, **kwargs)

    monkeypatch.setattr(work, "save_progress", killed)
    work.run(job.pk)
    assert Message.objects.count() == 3
    Job.objects.filter(pk=job.pk).update(lease_token=None, lease_until=None)
    work.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done) == ("done", 7)
    assert sorted(Message.objects.values_list("phone", flat=True)) == [user.phone for user in people]


def test_whoever_is_suspended_meanwhile_gets_nothing(cast: Cast, portal: Portal) -> None:
    users = [person(portal, n) for n in range(2)]
    job = notify(cast, portal)
    PortalUser.objects.filter(pk=users[0].pk).update(status="suspended")
    person(portal, 5)  # came after the text was written
    PortalUser.objects.filter(phone=NUMBERS[5]).update(created_at=timezone.now() + timedelta(seconds=5))
    work.run(job.pk)
    assert list(Message.objects.values_list("phone", flat=True)) == [users[1].phone]


def test_an_automation_writes_to_each_once_and_nobody_stands_behind_it(cast: Cast, portal: Portal) -> None:
    role = PortalRole.objects.create(portal=portal, name="Drivers")
    drivers = [person(portal, n, role=role) for n in range(2)]
    person(portal, 2)
    plan, request_id = Plan(audience="role", text="Gate 4 is closed.", role=role), uuid.uuid4()
    rows = [notifying.send(portal, plan, request_id=request_id, source="automation", actor=None) for _ in range(2)]
    assert rows[0] == rows[1] and Job.objects.count() == 1
    row = PortalNotification.objects.get()
    assert (row.source, row.created_by, row.job) == ("automation", None, Job.objects.get())
    for _ in range(2):
        work.run(Job.objects.get().pk)
    assert Job.objects.get().state == "done"
    assert sorted(Message.objects.values_list("phone", flat=True)) == [user.phone for user in drivers]
    assert all("Gate 4 is closed." in message.body for message in Message.objects.all())
    entry = AuditEntry.objects.get(action="portal_notification.sent")
    assert line_of(entry).sentence == "wrote to the role Drivers of the portal Driver portal: 2 people"
    assert entry.actor_id is None
    assert row.get_source_display() == "Automation"
    page = cast.client("owner").get(cast.url(f"portals/{portal.pk}/notifications/"))
    assert page.status_code == 200 and "Gate 4 is closed." in page.content.decode()


def test_rows_of_old_batches_are_forgotten(cast: Cast, portal: Portal) -> None:
    ContactFactory(organization=cast.organization, phone=NUMBERS[0])
    batch = from_contacts(portal, role=None, language="", actor=cast.owner)
    work.run(batch.job_id)
    assert forget_rows() == 0
    PortalInvitationBatch.objects.update(created_at=timezone.now() - timedelta(days=400))
    assert forget_rows() == 1
