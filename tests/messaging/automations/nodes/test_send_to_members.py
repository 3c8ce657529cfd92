"""Send SMS to members: who is meant, who is left out and said to be, and what builder, files and pages make of it."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from integrations.connections.models import Connection
from integrations.organizations.membership import leave, remove_member, set_phone
from integrations.organizations.models import Member, Organization, User
from messaging.automations import engine, moves
from messaging.automations.around import writers_of
from messaging.automations.copying import as_file, take
from messaging.automations.flow import Flow, NodeSpec, read
from messaging.automations.models import Automation, AutomationVersion, Run, RunMessage
from messaging.automations.nodes.sending import node as node_module
from messaging.automations.publishing import AutomationProblem, create, publish
from messaging.automations.registry import node_of
from messaging.automations.scopes import scope_at
from messaging.consent.models import OptOut
from messaging.consent.opt_outs import opt_out
from messaging.sending.models import Message
from messaging.templates.models import Template, TemplateVersion
from tests.conftest import Cast
from tests.factories import ContactFactory, MemberFactory, UserFactory
from tests.messaging.automations.conftest import MakeAutomation, begin, carry_on

from .conftest import PHONE, Problems, RunNode, step_of

pytestmark = pytest.mark.django_db
NUMBERS = {"owner": "+4915100000001", "admin": "+4915100000002", "agent": "+4915100000003", "viewer": "+4915100000004"}


@pytest.fixture
def numbers(cast: Cast) -> dict[str, str]:
    """Give everybody a number."""
    for who, phone in NUMBERS.items():
        Member.objects.filter(user=getattr(cast, who)).update(phone=phone)
    Member.objects.filter(user=cast.stranger).update(phone="+4915100000009")
    return NUMBERS


def to(*members: Any, text: str = "Alarm") -> dict[str, Any]:
    return {"to": "members", "members": [str(getattr(one, "pk", one)) for one in members], "text": text}


def written_to() -> list[str]:
    return sorted(Message.objects.values_list("phone", flat=True))


@pytest.mark.parametrize(
    ("chosen", "meant"),
    [
        (["all"], ["owner", "admin", "agent", "viewer"]),
        (["agent", "viewer"], ["agent", "viewer"]),
        (["owner", "cast.owner"], ["owner"]),
        (["cast.admin", "cast.viewer"], ["admin", "viewer"]),
        (["agent", "cast.owner"], ["owner", "agent"]),
    ],
)
def test_everybody_roles_and_certain_ones_are_written_to_each_once(
    run_node: RunNode, cast: Cast, connection: Connection, numbers: Any, chosen: list[str], meant: list[str]
) -> None:
    ids = [cast.member(one[5:]) if one.startswith("cast.") else one for one in chosen]
    step = run_node("send_sms", to(*ids))
    assert written_to() == sorted(numbers[who] for who in meant)
    assert (step.status, step.output["count"], step.detail) == ("done", len(meant), "")
    assert step.input["to"] == (f"{len(meant)} recipients" if len(meant) > 1 else "+49•••••01")


def test_members_of_another_organization_are_never_written_to(
    automation: MakeAutomation, cast: Cast, connection: Connection, numbers: Any
) -> None:
    made = automation(NodeSpec("n1", "send_sms", to("all")))
    for key, settings in (("1", to("all", cast.member("stranger"))), ("2", to(cast.member("stranger")))):
        # No form takes it: written past all of them.
        flow = Flow("test", {}, (NodeSpec("n1", "send_sms", settings),), 1)
        AutomationVersion.objects.filter(pk=made.live_id).update(flow=flow.as_json())
        made.refresh_from_db()
        run = begin(made, key)
        carry_on()
        assert run is not None
    assert written_to() == sorted(numbers.values())
    assert (step_of(run).status, step_of(run).reason) == ("failed", "recipients_gone")


def test_who_has_no_number_may_not_sign_in_or_has_left_is_left_out_and_said_to_be(
    run_node: RunNode, cast: Cast, connection: Connection, numbers: Any, automation: MakeAutomation
) -> None:
    chosen = to(*(cast.member(who) for who in NUMBERS), MemberFactory(organization=cast.organization, role="agent"))
    run = begin(automation(NodeSpec("n1", "send_sms", chosen)))
    leave(cast.member("viewer"))
    set_phone(cast.member("admin"), phone="", actor=cast.member("admin"))
    User.objects.filter(pk=cast.agent.pk).update(is_active=False)
    carry_on()
    assert run is not None
    step = step_of(run)
    assert written_to() == [numbers["owner"]]
    assert step.detail == (
        "2 members have no number: write them down under Members. 1 member may not sign in, and is left out. "
        "1 member has left the organization: choose again, and publish."
    )
    page = cast.client("owner").get(cast.url(f"automations/runs/{run.pk}/")).content.decode()
    assert "2 members have no number: write them down under Members." in page


def test_where_nobody_has_a_number_the_step_fails_and_is_tried_again(
    automation: MakeAutomation, cast: Cast, connection: Connection, numbers: Any
) -> None:
    run = begin(automation(NodeSpec("n1", "send_sms", to("agent"))))
    agent = set_phone(cast.member("agent"), phone="", actor=cast.member("owner"))
    carry_on()
    assert run is not None
    step = step_of(run)
    assert (step.status, step.reason) == ("failed", "no_member_number")
    assert step.detail == (
        "There is nobody to write to. 1 member has no number: write it down under Members. Then try again."
    )
    assert not Message.objects.exists()
    set_phone(agent, phone=PHONE, actor=agent)
    assert moves.retry(step.run, actor=cast.agent)
    carry_on()
    assert written_to() == [PHONE]


def test_two_with_the_same_number_get_one_text(
    run_node: RunNode, cast: Cast, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    Member.objects.filter(organization=cast.organization).update(phone=PHONE)
    step = run_node("send_sms", to("all"))
    assert written_to() == [PHONE] and step.input["to"] == "+49•••••78"
    monkeypatch.setattr(node_module, "SLICE", 1)  # in slices of their own
    run_node("send_sms", to("all"), key="2")
    assert written_to() == [PHONE, PHONE]


def test_many_go_in_slices_and_who_joins_meanwhile_is_not_drawn_in(
    automation: MakeAutomation, cast: Cast, connection: Connection, numbers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_module, "SLICE", 3)
    for number in range(10):
        MemberFactory(organization=cast.organization, role="agent", phone=f"+49151200000{number:02d}")
    run = begin(automation(NodeSpec("n1", "send_sms", to("all"))))
    engine.carry_on(*engine.claim(Run.Lane.QUICK, most=10))
    assert Message.objects.count() == 3
    late = MemberFactory(organization=cast.organization, role="agent", phone="+4915120000099")
    # In a test all is one transaction, whose clock stands still.
    Member.objects.filter(pk=late.pk).update(created_at=Now() + timedelta(minutes=1))
    carry_on()
    assert run is not None
    assert step_of(run).output["count"] == 14 == RunMessage.objects.values("key").distinct().count()
    assert late.phone not in written_to()


def test_a_member_who_opted_out_gets_nothing(
    run_node: RunNode, cast: Cast, connection: Connection, numbers: Any
) -> None:
    opt_out(cast.organization, phone=numbers["agent"], source=OptOut.Source.STAFF)
    step = run_node("send_sms", to("agent", "viewer"))
    assert (step.output["count"], step.output["blocked"]) == (1, 1)
    assert Message.objects.get(phone=numbers["agent"]).status == "blocked"


def template(organization: Organization, body: str) -> Template:
    made = Template.objects.create(organization=organization, name="Greeting")
    made.current = TemplateVersion.objects.create(template=made, number=1, body=body)
    made.save()
    return made


def test_a_template_knows_the_name_of_the_member(
    run_node: RunNode, try_node: RunNode, cast: Cast, connection: Connection, sandbox_connection: Connection
) -> None:
    User.objects.filter(pk=cast.agent.pk).update(name="Ada Lovelace")
    Member.objects.filter(user=cast.agent).update(phone=PHONE)
    body = '{{ first_name }}, {{ contact.name }}, {{ email | "no address" }}'
    settings = {"to": "members", "members": ["agent"], "template": str(template(cast.organization, body).pk)}
    run_node("send_sms", settings)
    assert Message.objects.get().body == "Ada, Ada Lovelace, no address"
    tried = try_node("send_sms", settings, phone="+4915100000077")
    assert Message.objects.get(phone="+4915100000077").body == "Ada, Ada Lovelace, no address"
    assert tried.input["in this test"] == "goes to +49•••••77 in the sandbox"


def test_a_test_says_to_how_many_it_would_go_and_who_has_no_number(
    try_node: RunNode, cast: Cast, sandbox_connection: Connection, numbers: Any
) -> None:
    Member.objects.filter(user=cast.agent).update(phone="")
    step = try_node("send_sms", to("all"), phone=PHONE)
    assert written_to() == [PHONE] and step.input["to"] == "3 recipients"
    assert step.detail == "1 member has no number: write it down under Members."
    with pytest.raises(AutomationProblem, match="not ready"):
        try_node("send_sms", to("agent"), phone=PHONE)


def test_the_number_counts_that_is_there_when_the_step_is_done_and_a_contact_of_it_is_named(
    run_node: RunNode, cast: Cast, connection: Connection, numbers: Any
) -> None:
    contact = ContactFactory(organization=cast.organization, phone=PHONE)
    set_phone(cast.member("agent"), phone=PHONE, actor=cast.member("owner"))
    run_node("send_sms", to("agent"))
    assert Message.objects.get().contact == contact


def test_what_the_step_lacks_is_said(problems: Problems, cast: Cast) -> None:
    agent, stranger = cast.member("agent"), cast.member("stranger")
    assert any("Choose everybody, a role, or at least one member." in one for one in problems("send_sms", to()))
    assert any("None of them has a number yet." in one for one in problems("send_sms", to("all")))
    Member.objects.filter(pk__in=[agent.pk, stranger.pk]).update(phone=PHONE)
    assert problems("send_sms", to("all")) == problems("send_sms", to("agent")) == problems("send_sms", to(agent)) == []
    assert any("None of them has a number yet." in one for one in problems("send_sms", to("viewer")))
    User.objects.filter(pk=cast.agent.pk).update(is_active=False)
    assert any("None of them has a number yet." in one for one in problems("send_sms", to(agent)))
    User.objects.filter(pk=cast.agent.pk).update(is_active=True)
    for gone in (stranger.pk, "0197c3f0-0000-7000-8000-000000000000", "boss"):
        found = problems("send_sms", to(agent, gone))
        assert any("Somebody who was chosen has left the organization." in one for one in found)
    for junk in ("all", {"all": 1}, 7, [1]):
        assert problems("send_sms", {"to": "members", "members": junk, "text": "x"})


def test_it_is_published_only_once_somebody_has_a_number(cast: Cast) -> None:
    flow = Flow("test", {}, (NodeSpec("n1", "send_sms", to("viewer")),), 1)
    made = create(cast.organization, name="Night", flow=flow, actor=cast.admin)
    with pytest.raises(AutomationProblem):
        publish(made, actor=cast.admin)
    set_phone(cast.member("viewer"), phone=PHONE, actor=cast.member("viewer"))
    publish(made, actor=cast.admin)


def test_the_builder_offers_whom_there_is_and_keeps_what_is_chosen(cast: Cast) -> None:
    MemberFactory(organization=cast.organization, role="agent", user=UserFactory(name="", email="x@acme.example"))
    namesake = UserFactory(name="Agent", email="double@acme.example")
    MemberFactory(organization=cast.organization, role="agent", user=namesake)
    User.objects.filter(pk=cast.viewer.pk).update(is_active=False)
    Member.objects.filter(user__in=[cast.agent, cast.viewer]).update(phone=PHONE)
    flow = Flow("test", {}, (NodeSpec("n1", "send_sms", to("agent", cast.member("owner"))),), 1)
    made = create(cast.organization, name="Night", flow=flow, actor=cast.admin)
    page = cast.client("owner").get(cast.url(f"automations/{made.pk}/?open=n1")).content.decode()
    for words in (
        "Everybody (1 of 6 with a number)", "Agents (1 of 3 with a number)", "Owners (0 of 1 with a number)",
        "Agent, agent@acme.example<", "Owner (no number)", "x@acme.example (no number)",
        "Viewer (may not sign in)", "Agent, double@acme.example (no number)",
        "Send “Alarm” to the members: agents, Owner",
    ):  # fmt: skip
        assert words in " ".join(page.split()).replace(" </label>", "<").replace("</label>", "<"), words
    assert "stranger@" not in page
    node = node_of("send_sms")
    assert node is not None
    scope = scope_at(cast.organization, flow, "n1")
    form = node.form({**to("agent"), "numbers": "left over", "tag": ""}, scope=scope)
    assert form.is_valid(), form.errors
    assert form.to_settings() == {"to": "members", "members": ["agent"], "text": "Alarm"}
    assert node.describe(scope, to("all")) == "Send “Alarm” to all members"
    four = to("owner", "admin", "agent", cast.member("viewer"))
    assert node.describe(scope, four) == "Send “Alarm” to the members: owners, admins, agents and 1 more"
    assert node.describe(scope, to(cast.member("stranger"))) == "Send “Alarm” to the members: …"


def test_a_file_takes_roles_along_and_leaves_people_behind(cast: Cast) -> None:
    agent = cast.member("agent")
    flow = Flow("test", {}, (NodeSpec("n1", "send_sms", to("viewer", agent)), NodeSpec("n2", "send_sms", to(agent))), 2)
    made = create(cast.organization, name="Night", flow=flow, actor=cast.admin)
    text = json.dumps(as_file(made))
    assert str(agent.pk) not in text and "agent@" not in text
    taken = take(cast.other, text, actor=cast.stranger)
    there = read(taken.automation.draft).nodes
    assert there[0].settings["members"] == ["viewer"]
    assert there[1].settings["members"] == []  # which means nobody, and is said at the step
    stored = json.loads(text)
    stored["flow"]["nodes"][0]["settings"]["members"] = [str(agent.pk)]
    taken = take(cast.other, json.dumps(stored), actor=cast.stranger)
    assert read(taken.automation.draft).nodes[0].settings["members"] == []


def test_pages_of_a_member_name_the_automations_that_write_to_them(
    cast: Cast, automation: MakeAutomation, numbers: Any
) -> None:
    agent, viewer = cast.member("agent"), cast.member("viewer")
    branch = {"groups": [[{"what": "trigger.order", "type": "text", "op": "is", "value": "x"}]]}
    inside = NodeSpec("n2", "send_sms", to("agent"))
    automation(NodeSpec("n1", "branch", branch, {"yes": (inside,)}), name="By role")
    named = automation(NodeSpec("n1", "send_sms", to(agent)), name="By name")
    automation(NodeSpec("n1", "send_sms", to("all")), name="All")
    automation(NodeSpec("n1", "send_sms", to("all")), name="Archived")
    Automation.objects.filter(name="Archived").update(status="archived")
    assert [writer.words for writer in writers_of(agent)] == [
        "the automation “All”", "the automation “By name”", "the automation “By role”",
    ]  # fmt: skip
    assert [writer.words for writer in writers_of(viewer)] == ["the automation “All”"]
    assert writers_of(cast.member("stranger")) == []
    removal = cast.client("owner").get(cast.url(f"members/{agent.pk}/remove/")).content.decode()
    assert f'<a href="{cast.url(f"automations/{named.pk}/")}" dir="auto">the automation “By name”</a>' in removal
    remove_member(agent, actor=cast.member("owner"))
    page = cast.client("owner").get(cast.url(f"automations/{named.pk}/")).content.decode()
    assert "Somebody who was chosen has left the organization. Choose again." in page
