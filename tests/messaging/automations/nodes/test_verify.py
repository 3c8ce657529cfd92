"""Verify the number: one code, whoever dies; two ways on; the code comes by reply, by the API or by a member."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models.functions import Now

from integrations.connections.models import Connection
from messaging.automations import engine, moves
from messaging.automations.flow import NodeSpec
from messaging.automations.models import Automation, Run, RunStep
from messaging.automations.nodes import verify
from messaging.contacts.models import Contact
from messaging.inbox.models import Conversation
from messaging.sending.models import Message
from messaging.verification import life
from messaging.verification.asker_names import asker_names
from messaging.verification.models import Verification
from messaging.verification.waiting import is_code_alone, take_reply
from tests.conftest import Cast
from tests.factories import MessageFactory
from tests.messaging.automations.conftest import MakeAutomation, begin, carry_on, hours_pass, spec
from tests.messaging.verification.conftest import own_code_of, wrong

from .conftest import PHONE, Problems, RunNode

pytestmark = pytest.mark.django_db


@pytest.fixture
def started(automation: MakeAutomation, contact: Contact, connection: Connection) -> Run:
    branches = {"approved": (spec("n2"),), "not_approved": (spec("n3"),)}
    run = begin(automation(NodeSpec("n1", "verify", {}, branches), name="Two-factor"), contact=contact)
    assert run is not None
    carry_on()
    run.refresh_from_db()
    return run


def ways(run: Run) -> list[str]:
    carry_on()
    return list(run.steps.values_list("node", flat=True))


def reply(cast: Cast, text: str) -> None:
    values = {"organization": cast.organization, "connection": Connection.objects.get(), "phone": PHONE}
    MessageFactory(**values, direction="inbound", body=text, status="received")
    take_reply(cast.organization, phone=PHONE, text=text)


def test_a_code_is_sent_and_the_run_waits(started: Run) -> None:
    verification = Verification.objects.get()
    assert (verification.asker_kind, verification.asker_id) == ("automation", started.automation_id)
    assert started.status == "waiting" and started.wake_key == f"verification:{verification.pk}"
    assert started.steps.get().memory == {"verification": str(verification.pk)}
    names = asker_names(verification.organization, [("automation", started.automation_id)])
    assert list(names.values()) == ["Automation Two-factor"]


def test_the_right_code_as_a_reply_approves(started: Run, cast: Cast) -> None:
    reply(cast, f" {own_code_of()} ")
    assert ways(started) == ["n1", "n2"]
    step = started.steps.get(node="n1")
    assert step.output["status"] == "approved" and step.input["reply"] == "Approved."
    assert own_code_of() not in str([step.input, step.output, step.memory])


def test_a_wrong_reply_counts_once_and_the_right_one_follows(started: Run, cast: Cast) -> None:
    reply(cast, wrong(own_code_of()))
    carry_on()
    Run.objects.update(due_at=Now())
    carry_on()
    assert Verification.objects.get().checks == 1 and started.steps.count() == 1
    reply(cast, own_code_of())
    assert ways(started) == ["n1", "n2"]


def test_other_texts_are_no_codes(started: Run, cast: Cast) -> None:
    reply(cast, "Call me at 123456 please")
    carry_on()
    assert Verification.objects.get().checks == 0
    assert (
        is_code_alone("123 456")
        and is_code_alone("１２３４５６.")
        and not is_code_alone("123")
        and not is_code_alone("")
    )
    assert not take_reply(cast.other, phone=PHONE, text="123456")


def test_whoever_checks_it_elsewhere_wakes_the_run(started: Run) -> None:
    life.check(Verification.objects.get(), code=own_code_of())
    started.refresh_from_db()
    assert started.wake_key == "" and ways(started) == ["n1", "n2"]


def test_five_wrong_codes_or_none_in_time_are_not_approved(
    started: Run, automation: MakeAutomation, contact: Contact
) -> None:
    verification = Verification.objects.get()
    for _ in range(5):
        life.check(verification, code=wrong(own_code_of()))
    assert ways(started) == ["n1", "n3"]
    assert started.steps.get(node="n1").output["reason"] == "max_attempts"
    late = begin(automation(NodeSpec("n1", "verify", {}), name="Late"), contact=contact)
    assert late is not None
    carry_on()
    Verification.objects.filter(status="pending").update(expires_at=Now() - timedelta(seconds=1))
    hours_pass(late)
    carry_on()
    assert late.steps.get(node="n1").output["status"] == "expired"


def test_a_worker_that_dies_after_the_code_left_sends_no_second_one(
    automation: MakeAutomation, contact: Contact, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin(automation(NodeSpec("n1", "verify", {})), contact=contact)
    assert run is not None
    engine.work(seconds=2)
    with monkeypatch.context() as patch:

        def die(*_: Any) -> None:
            raise OperationalError("the server went away")

        patch.setattr(verify, "_wait", die)
        patch.setattr(engine, "_give_back", lambda token: None)
        engine.act(seconds=2)
    Run.objects.update(lease_until=Now() - timedelta(seconds=1))
    assert Verification.objects.count() == 1 and moves.release_lost() == 1
    carry_on()
    run.refresh_from_db()
    assert run.status == "waiting" and Verification.objects.count() == Message.objects.count() == 1


def test_of_two_workers_at_once_one_sends_a_code(started: Run) -> None:
    row = RunStep.objects.get()
    step = type("Step", (), {"id": row.pk, "memory": {}})()
    with pytest.raises(verify.TryLater):
        verify._keep(step, Verification.objects.get())
    row.refresh_from_db()
    assert "verification" in row.memory
    assert step.memory == row.memory  # which is what its failure writes into the row


def test_without_a_way_the_step_fails_and_is_tried_again(
    automation: MakeAutomation, contact: Contact, cast: Cast
) -> None:
    run = begin(automation(NodeSpec("n1", "verify", {})), contact=contact)
    assert run is not None
    carry_on()
    step = run.steps.get()
    assert (step.status, step.reason) == ("failed", "not_connected") and step.detail
    from tests.factories import ConnectionFactory

    ConnectionFactory(organization=cast.organization)
    run.refresh_from_db()
    assert moves.retry(run, actor=cast.agent)
    carry_on()
    run.refresh_from_db()
    assert run.status == "waiting" and Verification.objects.count() == 1


def test_a_number_that_gets_no_codes_is_not_approved(run_node: RunNode, connection: Connection) -> None:
    landline = run_node("verify", {"field": "trigger.phone"}, data={"phone": "+493012345678"})
    assert (landline.status, landline.branch, landline.output["reason"]) == ("done", "not_approved", "kind")
    bad = run_node("verify", {"field": "trigger.phone"}, key="2", data={"phone": "12"})
    assert (bad.branch, bad.output["reason"]) == ("not_approved", "too_short")
    assert not Message.objects.exists()


def test_limits_hold_automations_too(automation: MakeAutomation, contact: Contact, connection: Connection) -> None:
    made = automation(NodeSpec("n1", "verify", {}), cap_count=None)
    for number in range(7):
        begin(made, str(number), contact=contact)
    carry_on()
    assert Verification.objects.count() == 5
    held = RunStep.objects.exclude(reason="")
    assert {step.reason for step in held} == {"verify_number"} and held.count() == 2
    assert Automation.objects.count() == 1


def test_a_member_may_enter_the_code(started: Run, cast: Cast) -> None:
    verification = Verification.objects.get()
    url = cast.url(f"verifications/{verification.pk}/")
    assert b"code" in cast.client("agent").get(url).content
    code = own_code_of()
    answer = cast.client("agent").post(f"{url}check/", {"code": code})
    assert answer.status_code == 302
    assert ways(started) == ["n1", "n2"]
    assert cast.client("stranger").get(url).status_code == 404


def test_a_reply_with_the_code_asks_no_member_for_attention(started: Run, connection: Connection, cast: Cast) -> None:
    from messaging.inbound.receive import receive
    from messaging.receipts.models import Callback

    callback = Callback.objects.create(
        connection=connection,
        kind=Callback.Kind.INBOUND,
        params={"MessageSid": "SM" + "7" * 32, "From": PHONE, "To": "+4915100000000", "Body": own_code_of()},
    )
    receive(callback)
    assert Conversation.objects.get().unread == 0
    assert ways(started) == ["n1", "n2"]


def test_in_a_test_no_code_leaves(try_node: RunNode, problems: Problems, connection: Connection) -> None:
    step = try_node("verify", {})
    assert (step.status, step.branch) == ("done", "approved") and "no code is sent" in step.input["in this test"]
    assert try_node("verify", {"in_test": "not_approved"}).branch == "not_approved"
    assert not Verification.objects.exists()
    assert problems("verify", {}) == [] and "not known here" in problems("verify", {"field": "trigger.gone"})[0]
