"""Many runs due at one minute: how long until each has begun, and until each has sent its message."""

from datetime import timedelta
from typing import Any

from django.db import connection as database
from django.db import transaction

from integrations.clock import database_now
from integrations.organizations.models import Member, User
from messaging.automations.base import Start
from messaging.automations.flow import Flow, Place
from messaging.automations.models import Automation, Run
from messaging.automations.publishing import create, publish
from messaging.automations.starting import start_runs
from messaging.contacts.models import Contact
from tests.load.rows import Customer
from tests.load.servers import Installation
from tests.load.throughput import is_quiet

_CONTACTS = """
INSERT INTO messaging_contact (id, organization_id, name, phone, region, email, language, notes, created_at, updated_at)
SELECT gen_random_uuid(), %(organization)s, 'Person ' || n, '+49158' || lpad(n::text, 8, '0'), 'DE', '', '', '', now(),
    now()
FROM generate_series(1, %(count)s) AS n
"""
_IN_A_MOMENT = timedelta(seconds=10)  # so that all of them are stored before the first is due


def measure_runs(place: Installation, *, customer: Customer, count: int) -> dict[str, Any]:
    """Begin a run for each of `count` contacts, to branch and to send; seconds from the moment they are due."""
    automation = _automation(customer)
    with database.cursor() as cursor:
        cursor.execute(_CONTACTS, {"organization": customer.organization.pk, "count": count})
        cursor.execute("ANALYZE messaging_contact")
    people = Contact.objects.filter(organization=customer.organization, name__startswith="Person ")
    ids = list(people.values_list("pk", flat=True))
    due_at = database_now() + _IN_A_MOMENT + timedelta(seconds=count / 2_000)
    with transaction.atomic():
        start_runs(automation, [Start(key=f"c{pk}", contact_id=pk, due_at=due_at) for pk in ids])
    begun_late = database_now() > due_at
    runs = Run.objects.filter(automation=automation)
    place.wait_until(
        lambda: not runs.filter(status__in=["waiting", "running"]).exists(), seconds=600, what="The end of the runs"
    )
    place.wait_until(lambda: is_quiet(customer.quiet), seconds=600, what="Handing over what the runs sent")
    rows = list(runs.values_list("status", "started_at", "ended_at"))
    began = sorted((started - due_at).total_seconds() for _, started, _ in rows if started is not None)
    ended = max((ended - due_at).total_seconds() for _, _, ended in rows if ended is not None)
    return {
        "runs": len(rows),
        "done": sum(status == Run.Status.DONE for status, _, _ in rows),
        "stored_too_late": begun_late,
        "seconds_until_half_began": round(began[len(began) // 2], 1),
        "seconds_until_all_began": round(began[-1], 1),
        "seconds_until_all_ended": round(ended, 1),
    }


def _automation(customer: Customer) -> Automation:
    """Publish: if the contact lives in Germany, send; through the connection without callbacks."""
    owner = User.objects.create_user("automations@example.com", name="Benchmark")
    Member.objects.create(organization=customer.organization, user=owner, role="owner")
    flow = Flow().with_trigger("contact_created", {})
    flow, branch = flow.insert("branch", _ONLY_GERMANY, at=Place())
    sends = {"to": "contact", "text": "Your appointment is tomorrow.", "connection": str(customer.quiet.pk)}
    flow, _ = flow.insert("send_sms", sends, at=Place(branch, "yes"))
    automation = create(customer.organization, name="Reminder", flow=flow, actor=owner)
    publish(automation, actor=owner)
    return automation


_ONLY_GERMANY: dict[str, Any] = {
    "groups": [[{"what": "contact.country", "type": "text", "op": "is", "value": "DE"}]],
}
