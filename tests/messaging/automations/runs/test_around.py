"""What stands around runs: alerts, the contact's timeline, erasure, retention, figures for Prometheus."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from integrations.connections.models import Connection
from messaging.alerts.models import Alert
from messaging.alerts.watch import watch
from messaging.automations import engine, moves, retrying
from messaging.automations.forgetting import KEPT
from messaging.automations.models import Automation, AutomationVersion, Run, RunMessage, RunStep
from messaging.automations.publishing import begin_test
from messaging.automations.run_filter import RunFilter
from messaging.contacts.erasure.erasing import erase_person
from messaging.happenings.models import Happening
from messaging.retention.kept import forget_due
from messaging.retention.models import RetentionPolicy
from tests.conftest import Cast
from tests.factories import ContactFactory, MessageFactory
from tests.messaging.automations.conftest import MakeAutomation, begin, carry_on, spec

from .conftest import OURS, make_run

pytestmark = pytest.mark.django_db


def open_alert(kind: str) -> Alert | None:
    watch()
    return Alert.objects.filter(kind=kind, cleared_at=None).first()


def test_automation_that_fails_five_times_for_one_cause_is_told_once_and_is_over_after_an_hour(
    cast: Cast, welcome: Automation
) -> None:
    for number in range(4):
        make_run(welcome, str(number), status="failed", detail="No way to +49 1511 2345678. Connect Twilio.")
    make_run(welcome, "other", status="failed", reason="other")
    make_run(welcome, "test", status="failed", is_test=True)
    assert open_alert("automation_failing") is None
    make_run(welcome, "fifth", status="failed", detail="No way to +49 1511 2345678. Connect Twilio.")
    alert = open_alert("automation_failing")
    assert alert is not None and "“Welcome” fails: 5 runs" in alert.text and "Connect Twilio." in alert.text
    assert "2345678" not in alert.text and alert.link == f"/automations/{welcome.pk}/runs/?status=failed"
    Run.objects.filter(key="fifth").update(status="waiting")
    assert open_alert("automation_failing") == alert
    Run.objects.filter(status="failed").update(ended_at=timezone.now() - timedelta(minutes=61))
    assert open_alert("automation_failing") is None
    assert Alert.objects.count() == 1


def test_alert_leads_to_the_failed_runs(cast: Cast, welcome: Automation) -> None:
    run, *_ = [make_run(welcome, str(number), status="failed") for number in range(5)]
    alert = open_alert("automation_failing")
    assert alert is not None
    text = cast.client("viewer").get(cast.url(alert.link)).content.decode()
    assert str(run.pk) in text and text.count("“Welcome” fails") == 1


def test_runs_that_nobody_carries_on_are_told(cast: Cast, welcome: Automation) -> None:
    run = make_run(welcome, "1", status="waiting", due_at=timezone.now() - timedelta(minutes=9))
    assert open_alert("runs_late") is None
    Run.objects.update(due_at=timezone.now() - timedelta(minutes=11))
    alert = open_alert("runs_late")
    assert alert is not None and alert.is_grave and alert.organization == cast.organization
    Run.objects.filter(pk=run.pk).update(lane=Run.Lane.HELD_QUICK)  # paused: that is as it should be
    assert open_alert("runs_late") is None


def test_timeline_of_a_contact_tells_what_ran(cast: Cast, welcome: Automation) -> None:
    contact = ContactFactory(organization=cast.organization, phone=OURS)
    run = make_run(welcome, "1", contact=contact, phone=OURS)
    make_run(welcome, "2", contact=contact, phone=OURS, is_test=True, status="failed")
    text = cast.client("viewer").get(cast.url(f"contacts/{contact.pk}/")).content.decode()
    assert "Automation “Welcome” ran" in text and f"/automations/runs/{run.pk}/" in text
    assert "“Welcome” failed" not in text


def erase(contact: Any) -> dict[str, int]:
    with transaction.atomic():
        return erase_person(contact)


def test_erased_person_is_forgotten_and_what_waits_ends(
    cast: Cast, automation: MakeAutomation, connection: Connection
) -> None:
    contact = ContactFactory(organization=cast.organization, name="Anna Schmidt", phone=OURS)
    made = automation(spec("n1"), spec("n2", "wait"))
    run = begin(made, contact=contact, data={"phone": OURS, "said": "Anna was here"})
    assert run is not None
    carry_on()
    Happening.objects.create(organization=cast.organization, kind="test.thing", contact_id=contact.pk, phone=OURS)
    Happening.objects.create(organization=cast.organization, kind="test.thing", phone=OURS)
    other = ContactFactory(organization=cast.organization, phone="+4915187654321")
    Happening.objects.create(organization=cast.organization, kind="test.thing", contact_id=other.pk)
    # A run of somebody else that wrote to her.
    theirs = make_run(made, "2", phone=other.phone, data={"trigger": {"driver": OURS}, "nodes": {}})
    step = RunStep.objects.create(
        run=theirs, ordinal=1, node="n1", kind="act", started_at=timezone.now(), input={"to": OURS}, output={"n": 1}
    )
    sent = RunMessage.objects.create(
        run=theirs,
        step=step,
        key=OURS,
        message=MessageFactory(
            organization=cast.organization, connection=connection, contact=contact, phone=OURS, status="delivered"
        ),
    )
    unsent = RunMessage.objects.create(run=theirs, step=step, key=f"?{OURS}", reason="x", detail=f"{OURS} is bad")
    removed = erase(contact)
    assert removed["runs of automations that are kept without the person"] == 1
    run.refresh_from_db()
    assert (run.status, run.reason, run.detail, run.contact) == ("stopped", "erased", "The contact was erased.", None)
    assert run.phone.startswith("#") and run.data == {"trigger": {}, "nodes": {}}
    assert not any((row.input, row.output, row.memory) != ({}, {}, {}) for row in run.steps.all())
    assert Happening.objects.count() == 1
    for row in (theirs, step, sent, unsent):
        row.refresh_from_db()
        assert OURS not in str(vars(row))
    assert theirs.phone == other.phone and step.output == {"n": 1}
    text = cast.client("viewer").get(cast.url(f"automations/runs/{run.pk}/")).content.decode()
    assert "Contact erased" in text and "The contact was erased." in text and "Anna" not in text
    carry_on()
    run.refresh_from_db()
    assert run.status == "stopped"


def test_run_that_a_worker_has_just_claimed_is_forgotten_too(cast: Cast, automation: MakeAutomation) -> None:
    contact = ContactFactory(organization=cast.organization, phone=OURS)
    run = begin(automation(spec("n1")), contact=contact)
    assert run is not None
    token, ids = engine.claim(Run.Lane.QUICK, most=5)
    erase(contact)
    engine.carry_on(token, ids)
    run.refresh_from_db()
    assert (run.status, run.reason, run.steps.count()) == ("stopped", "erased", 0)


def test_a_run_that_failed_is_not_tried_again_once_it_has_forgotten_whom_it_wrote_to(
    cast: Cast, automation: MakeAutomation
) -> None:
    contact = ContactFactory(organization=cast.organization, phone=OURS)
    made = automation(spec("n1", "fail"))
    run = begin(made, contact=contact)
    assert run is not None
    carry_on()
    erase(contact)
    run.refresh_from_db()
    assert (run.status, run.reason, run.detail) == ("failed", "erased", "The contact was erased.")
    assert not moves.retry(run, actor=cast.agent)
    assert not retrying.failed_runs(cast.organization, RunFilter()).exists()
    page = cast.client("agent").get(cast.url(f"automations/runs/{run.pk}/")).content.decode()
    assert "The contact was erased." in page and "/retry/" not in page


def keep(cast: Cast, days: int) -> None:
    RetentionPolicy.objects.create(organization=cast.organization, run_days=days)


def age(days: int, **which: Any) -> None:
    """Let runs be as old as that, their ids too."""
    for run in Run.objects.filter(**which):
        from integrations.identifiers import first_id_of

        at = timezone.now() - timedelta(days=days)
        new = first_id_of(at)
        steps = list(run.steps.all())
        messages = list(run.messages.all())
        old, run.pk, run.created_at = run.pk, new, at
        run.key, run.ended_at = f"{run.key} old", at if run.ended_at or run.status == "done" else None
        run.save(force_insert=True)
        RunStep.objects.filter(pk__in=[step.pk for step in steps]).update(run=new)
        RunMessage.objects.filter(pk__in=[row.pk for row in messages]).update(run=new)
        Run.objects.filter(pk=old).delete()


def test_runs_are_deleted_with_their_steps_after_the_days_that_were_set(cast: Cast, automation: MakeAutomation) -> None:
    made = automation(spec("n1"))
    begin(made, "old")
    carry_on()
    make_run(made, "waits", status="waiting")
    age(40)
    begin(made, "new")
    carry_on()
    assert forget_due() == 0
    keep(cast, 30)
    assert forget_due() == 1
    assert set(Run.objects.values_list("key", flat=True)) == {"waits old", "new"}
    assert RunStep.objects.count() == 1


def test_draft_that_was_tried_goes_with_its_last_run(cast: Cast, automation: MakeAutomation) -> None:
    made = automation(spec("n1"))
    begin_test(made, data={})
    begin_test(made, data={})
    carry_on()
    first, second = AutomationVersion.objects.filter(number=0).order_by("pk")
    KEPT.delete(cast.organization, [Run.objects.get(version=first).pk])
    assert set(AutomationVersion.objects.values_list("pk", flat=True)) == {second.pk, made.live_id}


def test_retention_page_asks_before_runs_go(cast: Cast, welcome: Automation) -> None:
    make_run(welcome, "1")
    age(40)
    client, address = cast.client("owner"), cast.url("settings/retention/")
    days = {"days": "", "verification_days": "", "submission_days": "", "run_days": "30"}
    assert "1 run" in client.post(address, days).content.decode()
    assert "deleted after 30 days" in client.post(address, {**days, "confirmed": "on"}, follow=True).content.decode()
    assert "how long runs of automations are kept" in client.get(cast.url("audit/")).content.decode()


def test_metrics_count_runs(cast: Cast, welcome: Automation) -> None:
    make_run(welcome, "1", status="waiting")
    make_run(welcome, "2", status="failed")
    text = Client().get("/metrics").content.decode()
    assert 'heliograph_automation_runs{status="waiting"} 1.0' in text
    assert 'heliograph_automation_runs{status="failed_last_hour"} 1.0' in text
    assert "heliograph_happenings_unheard 0.0" in text
