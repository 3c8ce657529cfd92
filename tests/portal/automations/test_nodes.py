"""Steps of the portal wing: people are invited and decided about once, and what is refused is said in words."""

from typing import Any

import pytest

from integrations.organizations.models import Member
from messaging.automations.flow import NodeSpec
from messaging.automations.models import Run, RunMessage
from messaging.consent.models import OptOut
from messaging.consent.opt_outs import opt_out
from messaging.contacts.models import Tag
from messaging.jobs import work
from messaging.jobs.models import Job
from messaging.sending.models import Message
from messaging.sending.transitions import Move, advance
from portal.accounts.models import Portal, PortalInvitation, PortalNotification, PortalUser
from portal.accounts.wishes import change_wishes
from portal.automations import nodes as nodes_module
from tests.conftest import Cast
from tests.factories import ContactFactory
from tests.messaging.automations.conftest import automation, begin, carry_on, kinds_of_tests
from tests.messaging.automations.nodes.conftest import (
    PHONE,
    Problems,
    RunNode,
    contact,
    fields_of_the_trigger,
    problems,
    run_node,
    step_of,
    try_node,
)
from tests.portal.accounts.furnishing import make_person, make_portal

__all__ = ["automation", "contact", "fields_of_the_trigger", "kinds_of_tests", "problems", "run_node", "try_node"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def portal(cast: Cast, connection: Any) -> Portal:
    return make_portal(cast.organization, admission="approval")


def test_one_is_invited_once(run_node: RunNode, portal: Portal, contact: Any) -> None:
    role = portal.roles.create(name="Staff")
    settings = {"portal": str(portal.pk), "role": str(role.pk), "to": "contact"}
    step = run_node("portal_invite", settings, contact=contact)
    invitation = PortalInvitation.objects.get()
    assert (invitation.source, invitation.user.phone, invitation.user.role) == ("automation", PHONE, role)
    assert step.output == {"status": "invited", "reason": "", "count": 1, "refused": 0}
    assert RunMessage.objects.get().message == Message.objects.get()
    again = run_node("portal_invite", settings, key="2", contact=contact)
    assert again.status == "done" and again.output["reason"] == "already_invited"
    assert PortalInvitation.objects.count() == 1


def test_many_are_invited_in_slices_and_refusals_are_counted(
    run_node: RunNode, portal: Portal, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodes_module, "SLICE", 2)
    tag = Tag.objects.create(organization=cast.organization, name="Drivers")
    for number in range(5):
        ContactFactory(organization=cast.organization, phone=f"+4915120000{number:03d}").tags.add(tag)
    opt_out(cast.organization, phone="+4915120000001", source=OptOut.Source.STAFF)
    make_person(portal, phone="+4915120000002")
    step = run_node("portal_invite", {"portal": str(portal.pk), "to": "tag", "tag": str(tag.pk)})
    assert (step.output["count"], step.output["refused"]) == (3, 2)
    reasons = set(RunMessage.objects.exclude(reason="").values_list("key", "reason"))
    assert reasons == {("+4915120000001", "opted_out"), ("+4915120000002", "already_active")}


def test_members_are_invited_by_their_names_and_who_has_no_number_is_said(
    run_node: RunNode, portal: Portal, cast: Cast
) -> None:
    Member.objects.filter(user=cast.agent).update(phone=PHONE)
    step = run_node("portal_invite", {"portal": str(portal.pk), "to": "members", "members": ["agent", "viewer"]})
    user = PortalInvitation.objects.get().user
    assert (user.phone, user.name, step.output["count"]) == (PHONE, "Agent", 1)
    assert step.detail == "1 member has no number: write it down under Members."


def test_an_opt_out_lets_the_run_go_on_and_a_portal_that_is_off_does_not(
    run_node: RunNode, portal: Portal, contact: Any, cast: Cast
) -> None:
    opt_out(cast.organization, phone=PHONE, source=OptOut.Source.STAFF)
    settings = {"portal": str(portal.pk), "to": "contact"}
    step = run_node("portal_invite", settings, contact=contact)
    assert step.status == "done" and step.output["reason"] == "opted_out"
    assert "opted out" in RunMessage.objects.get().detail
    field = {"portal": str(portal.pk), "to": "field", "field": "trigger.phone"}
    bad = run_node("portal_invite", field, key="2", data={"phone": "12"})
    assert (bad.status, bad.reason) == ("failed", "too_short")


def test_a_portal_that_was_switched_off_or_deleted_meanwhile_is_said(
    portal: Portal, contact: Any, cast: Cast, automation: Any
) -> None:
    made = automation(NodeSpec("n1", "portal_invite", {"portal": str(portal.pk), "to": "contact"}))
    for key, reason in (("1", "portal_off"), ("2", "portal_gone")):
        run = begin(made, key, contact=contact)
        assert run is not None
        Portal.objects.update(is_on=False) if key == "1" else Portal.objects.all().delete()
        carry_on()
        assert step_of(run).reason == reason and step_of(run).detail.endswith(".")


def test_who_waits_is_let_in_or_turned_away_once(run_node: RunNode, portal: Portal, cast: Cast) -> None:
    first = make_person(portal, phone="+4915100000001", status="waiting")
    second = make_person(portal, phone="+4915100000002", status="waiting")
    settings = {"decision": "approve", "portal": str(portal.pk), "field": "trigger.phone"}
    step = run_node("portal_decide", settings, data={"phone": first.phone})
    assert step.output == {"status": "active", "changed": True}
    again = run_node("portal_decide", settings, key="2", data={"phone": first.phone})
    assert again.output == {"status": "active", "changed": False}
    reject = {**settings, "decision": "reject", "reason": "No {{ trigger.order }}"}
    run_node("portal_decide", reject, key="3", data={"phone": second.phone, "order": "plate"})
    second.refresh_from_db()
    assert (second.status, second.decision_reason) == ("rejected", "No plate")
    nobody = run_node("portal_decide", settings, key="4", data={"phone": "+4915100000009"})
    assert (nobody.status, nobody.reason) == ("failed", "no_portal_user")


def test_the_person_of_the_trigger_is_only_one_of_the_organization(
    run_node: RunNode, portal: Portal, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    from messaging.automations.fields import Field
    from tests.messaging.automations.conftest import TestTrigger

    monkeypatch.setattr(TestTrigger, "fields", lambda self, scope, settings: [Field("trigger.portal_user_id", "Id")])
    foreign = make_person(make_portal(cast.other, slug="theirs"), status="waiting")
    step = run_node("portal_decide", {"decision": "approve"}, data={"portal_user_id": str(foreign.pk)})
    foreign.refresh_from_db()
    assert (step.reason, foreign.status) == ("no_portal_user", "waiting")
    own = make_person(portal, status="waiting")
    run_node("portal_decide", {"decision": "approve"}, key="2", data={"portal_user_id": str(own.pk)})
    own.refresh_from_db()
    assert own.status == "active"


def test_people_of_a_role_are_written_to_as_they_wish(run_node: RunNode, portal: Portal) -> None:
    role = portal.roles.create(name="Staff")
    make_person(portal, phone="+4915100000001", role=role)
    silent = make_person(portal, phone="+4915100000002", role=role)
    make_person(portal, phone="+4915100000003")
    make_person(portal, phone="+4915100000004", role=role, status="suspended")
    change_wishes(silent, messages=False, news=False, wording="", language="en")
    settings = {"to": "portal", "of_portal": str(portal.pk), "of_role": str(role.pk), "text": "News"}
    step = run_node("send_sms", settings)
    assert (step.output["count"], step.output["blocked"]) == (1, 1)
    assert set(Message.objects.values_list("phone", "status")) == {
        ("+4915100000001", "queued"), ("+4915100000002", "blocked"),
    }  # fmt: skip


def test_a_notification_is_begun_once(run_node: RunNode, portal: Portal) -> None:
    make_person(portal)
    step = run_node(
        "portal_notify", {"portal": str(portal.pk), "text": "Hello {{ trigger.order }}"}, data={"order": "7"}
    )
    row = PortalNotification.objects.get()
    assert (row.pk, row.text, row.source) == (step.pk, "Hello 7", "automation") and step.output["count"] == 1
    assert Job.objects.count() == 1


@pytest.mark.parametrize("kind", ["portal_notify", "portal_invite"])
def test_texts_of_a_portal_do_not_set_off_again_what_had_them_sent(
    automation: Any, portal: Portal, contact: Any, kind: str
) -> None:
    make_person(portal, phone="+4915100000001")
    settings = {"portal": str(portal.pk), **({"text": "Hello"} if kind == "portal_notify" else {"to": "contact"})}
    made = automation(NodeSpec("n1", kind, settings), trigger="message_delivered")
    run = begin(made, contact=contact)
    assert run is not None
    carry_on()
    for job in Job.objects.all():
        work.run(job.pk)
    message = Message.objects.get()
    Message.objects.update(status="accepted")
    advance([Move(message_id=message.pk, to="delivered", source="callback")])
    carry_on()
    assert Run.objects.exclude(pk=run.pk).get().reason == "loop"


def test_what_the_steps_lack_is_said(problems: Problems, portal: Portal, cast: Cast) -> None:
    foreign = make_portal(cast.other, slug="theirs")
    role = foreign.roles.create(name="Staff")
    mine, theirs = str(portal.pk), str(foreign.pk)
    expected = [
        ("portal_invite", {"portal": theirs, "to": "contact"}, "This portal was deleted."),
        ("portal_invite", {"portal": mine, "role": str(role.pk), "to": "contact"}, "no such role"),
        ("portal_invite", {"portal": mine, "language": "xx", "to": "contact"}, "does not speak this language"),
        ("portal_invite", {"portal": mine}, "Choose who."),
        ("portal_decide", {"decision": "approve"}, "Choose the portal"),
        ("portal_notify", {"portal": mine}, "Text:"),
        ("send_sms", {"to": "portal", "of_portal": theirs, "text": "x"}, "This portal was deleted."),
    ]
    for kind, settings, sentence in expected:
        assert any(sentence in one for one in problems(kind, settings)), (kind, settings, problems(kind, settings))
    assert problems("portal_invite", {"portal": mine, "to": "contact"}) == []
    Portal.objects.update(is_on=False)
    assert "switched off" in problems("portal_invite", {"portal": mine, "to": "contact"})[0]


def test_a_test_invites_nobody(try_node: RunNode, portal: Portal) -> None:
    make_person(portal, status="waiting")
    for kind, settings in (
        ("portal_invite", {"portal": str(portal.pk), "to": "typed", "numbers": "+4915100000001"}),
        ("portal_decide", {"portal": str(portal.pk), "decision": "approve"}),
        ("portal_notify", {"portal": str(portal.pk), "text": "Hi"}),
    ):
        step = try_node(kind, settings)
        assert step.status == "done" and "in this test" in step.input, step.detail
    assert not PortalInvitation.objects.exists() and not PortalNotification.objects.exists()
    assert PortalUser.objects.get().status == "waiting" and Run.objects.filter(is_test=True).count() == 3
