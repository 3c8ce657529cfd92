"""The proof that a STOP was obeyed: it finds what began too late, and nothing else."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from integrations import clock
from integrations.connections.models import Connection
from messaging.consent.many_opt_outs import opt_out_many
from messaging.consent.models import OptOut
from messaging.consent.opt_outs import opt_out
from messaging.consent.proof import all_proof_rows, proof_rows, prove
from messaging.sending.models import Message
from tests.conftest import Cast
from tests.factories import MessageFactory

PHONE, SERVICE = "+4915112345678", "MG" + "a" * 32
DAY = timedelta(days=1)


@pytest.fixture
def stop(cast: Cast) -> OptOut:
    return opt_out(cast.organization, phone=PHONE, source=OptOut.Source.KEYWORD, keyword="STOP")


def post(cast: Cast, connection: Connection, stop: OptOut, seconds: float, **more: object) -> Message:
    """Make a message whose request began so many seconds after the opt-out."""
    fields = {"phone": PHONE, "status": "sent", "attempts": 1, "sender": SERVICE, **more}
    return MessageFactory(
        organization=cast.organization,
        connection=connection,
        posted_at=stop.started_at + timedelta(seconds=seconds),
        **fields,
    )


def began_after(cast: Cast) -> int:
    now = timezone.now()
    return prove(cast.organization, since=now - DAY, until=now + DAY).began_after


def test_a_request_more_than_a_second_later_is_found_and_listed(
    cast: Cast, connection: Connection, stop: OptOut
) -> None:
    post(cast, connection, stop, 0.05)
    late = post(cast, connection, stop, 0.2)  # claimed then, it may have begun 1.1 s after
    now = timezone.now()
    proof = prove(cast.organization, since=now - DAY, until=now + DAY)
    assert (proof.opt_outs, proof.began_after) == (1, 1)
    assert [row.id for row in proof.offenders] == [late.pk]
    [row] = proof_rows(cast.organization, since=now - DAY, until=now + DAY)
    assert (row.began_after, row.source_label) == (1, "Keyword in a reply")
    assert row.last_before == stop.started_at + timedelta(seconds=0.05)
    page = cast.client("viewer").get(cast.url("consent/proof/")).content.decode()
    assert "1 message begun after" in page
    assert str(late.pk) in page


def test_what_may_follow_an_opt_out_is_not_counted(cast: Cast, connection: Connection, stop: OptOut) -> None:
    post(cast, connection, stop, 60, purpose="verification")
    post(cast, connection, stop, 60, purpose="consent")
    post(cast, connection, stop, 60, phone="+4915112345679")
    post(cast, connection, stop, 60, channel="whatsapp")
    post(cast, connection, stop, 60, direction="inbound", status="received")
    MessageFactory(organization=cast.organization, connection=connection, phone=PHONE, status="blocked",
                   finished_at=timezone.now(), posted_at=None)  # fmt: skip
    assert began_after(cast) == 0
    now = timezone.now()
    [row] = proof_rows(cast.organization, since=now - DAY, until=now + DAY)
    assert row.held_back == 1
    assert "0 messages begun after" in cast.client("viewer").get(cast.url("consent/proof/")).content.decode()


def test_what_went_after_start_is_not_counted(cast: Cast, connection: Connection, stop: OptOut) -> None:
    stop.ended_at = stop.started_at + timedelta(minutes=5)
    stop.save()
    post(cast, connection, stop, 400)
    assert began_after(cast) == 0
    post(cast, connection, stop, 200)
    assert began_after(cast) == 1


def test_a_narrow_opt_out_is_about_its_sender(cast: Cast, connection: Connection) -> None:
    stop = opt_out(cast.organization, phone=PHONE, source=OptOut.Source.TWILIO, scope="sender", sender=SERVICE)
    post(cast, connection, stop, 60, sender="ACME")
    assert began_after(cast) == 0
    post(cast, connection, stop, 60)
    assert began_after(cast) == 1


def test_the_proof_is_of_one_organization_and_one_period(cast: Cast, connection: Connection, stop: OptOut) -> None:
    post(cast, connection, stop, 60)
    now = timezone.now()
    assert prove(cast.other, since=now - DAY, until=now + DAY).opt_outs == 0
    assert prove(cast.organization, since=now - 3 * DAY, until=now - DAY).began_after == 0


def test_the_export_has_every_opt_out_once(cast: Cast) -> None:
    for number in range(7):
        opt_out(cast.organization, phone=f"+4915112345{number:03d}", source=OptOut.Source.KEYWORD, keyword="=STOP()")
    now = timezone.now()
    rows = list(all_proof_rows(cast.organization, since=now - DAY, until=now + DAY))
    assert len({row.id for row in rows}) == 7
    answer = cast.client("agent").post(cast.url("consent/proof/export/"))
    text = b"".join(answer.streaming_content).decode()
    assert text.count("\r\n") == 8
    assert "'=STOP()" in text
    assert cast.client("viewer").post(cast.url("consent/proof/export/")).status_code == 403


@pytest.mark.parametrize(("who", "status"), [("viewer", 200), ("stranger", 404), (None, 302)])
def test_members_see_the_proof_and_nobody_else_does(cast: Cast, stop: OptOut, who: str | None, status: int) -> None:
    assert cast.client(who).get(cast.url("consent/proof/")).status_code == status


@pytest.mark.parametrize("wrong_by", [0, -10, 10])
@pytest.mark.parametrize("is_many", [False, True])
@pytest.mark.django_db(transaction=True)
def test_what_was_claimed_before_the_opt_out_was_committed_is_not_counted(
    cast: Cast, connection: Connection, is_many: bool, wrong_by: int
) -> None:
    clock.forget()
    # The clock of this machine has no part in it.
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=wrong_by), tick=True), transaction.atomic():
        if is_many:
            opt_out_many(cast.organization, evidence={PHONE: {"row": 2}}, source="import")
        else:
            opt_out(cast.organization, phone=PHONE, source=OptOut.Source.KEYWORD, keyword="STOP")
        with database.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.3), clock_timestamp()")
            [(_, claimed_at)] = cursor.fetchall()
    clock.forget()
    MessageFactory(
        organization=cast.organization, connection=connection, phone=PHONE, status="sent", posted_at=claimed_at
    )
    row = OptOut.objects.get()
    assert timedelta(0) < row.started_at - claimed_at < timedelta(seconds=5)
    assert began_after(cast) == 0
    post(cast, connection, row, 0.2)
    assert began_after(cast) == 1


@pytest.mark.django_db(transaction=True)
def test_an_opt_out_that_is_written_down_later_keeps_its_time(cast: Cast) -> None:
    long_ago = timezone.now() - 3 * DAY
    row = OptOut.objects.create(organization=cast.organization, phone=PHONE, source="staff", started_at=long_ago)
    row.refresh_from_db()
    assert row.started_at == long_ago
