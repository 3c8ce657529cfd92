"""Tags and attributes of the contact: changed once, with an audit line, and never those of another organization."""

import pytest
from django.db.models.functions import Now

from integrations.organizations.models import AuditEntry
from messaging.automations.flow import NodeSpec
from messaging.automations.models import Run
from messaging.consent.opt_outs import STOP_TAG
from messaging.contacts.models import AttributeDefinition, Contact, Tag
from tests.conftest import Cast
from tests.messaging.automations.conftest import MakeAutomation, begin, carry_on

from .conftest import Problems, RunNode, step_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def attributes(cast: Cast) -> None:
    for key, kind in (("plan", "choice"), ("points", "number"), ("since", "date")):
        AttributeDefinition.objects.create(
            organization=cast.organization, key=key, label=key.title(), kind=kind, choices=["Gold", "Silver"]
        )


def test_a_tag_is_added_once_and_taken_away(run_node: RunNode, contact: Contact) -> None:
    step = run_node("tag", {"what": "add", "new": "Welcomed"}, contact=contact)
    assert step.output == {"tag": "Welcomed", "changed": True}
    assert run_node("tag", {"what": "add", "new": "welcomed"}, key="2", contact=contact).output["changed"] is False
    entry = AuditEntry.objects.get(action="contact.tagged")
    assert entry.actor_label == "Automation “Of tag 1”"
    tag = Tag.objects.get()
    assert run_node("tag", {"what": "remove", "tag": str(tag.pk)}, key="3", contact=contact).output["changed"] is True
    assert not contact.tags.exists()


def test_a_run_without_a_contact_says_what_to_do(run_node: RunNode, cast: Cast) -> None:
    tag = Tag.objects.create(organization=cast.organization, name="VIP")
    step = run_node("tag", {"what": "add", "tag": str(tag.pk)})
    assert (step.status, step.reason) == ("failed", "no_contact")
    assert "brought no contact" in Run.objects.get().detail


@pytest.mark.parametrize("kind", ["tag", "attribute"])
@pytest.mark.parametrize("gone", ["what is named", "the contact"])
def test_what_is_gone_in_mid_run_is_said(
    automation: MakeAutomation, contact: Contact, cast: Cast, attributes: None, kind: str, gone: str
) -> None:
    tag = Tag.objects.create(organization=cast.organization, name="VIP")
    settings = {"tag": {"what": "add", "tag": str(tag.pk)}, "attribute": {"attribute": "plan", "value": "Gold"}}[kind]
    run = begin(automation(NodeSpec("n1", kind, settings)), contact=contact)
    assert run is not None
    if gone == "the contact":
        contact.delete()
    else:
        tag.delete()
        AttributeDefinition.objects.update(archived_at=Now())
    carry_on()
    step = step_of(run)
    assert (step.status, step.reason) == ("failed", f"{kind}_gone" if gone == "what is named" else "contact_gone")
    assert step.detail.endswith(("Choose another one, and publish.", "There is nobody to change."))


def test_an_attribute_is_set_by_its_type(run_node: RunNode, contact: Contact, attributes: None) -> None:
    settings = {"attribute": "plan", "value": "{{ trigger.plan }}"}
    step = run_node("attribute", settings, contact=contact, data={"plan": "gold"})
    contact.refresh_from_db()
    assert contact.attributes == {"plan": "Gold"} and step.output == {"value": "Gold", "changed": True}
    run_node("attribute", {"attribute": "points", "value": "12.5"}, key="2", contact=contact)
    again = run_node("attribute", {"attribute": "points", "value": "12.5"}, key="3", contact=contact)
    assert again.output["changed"] is False
    run_node("attribute", {"attribute": "plan"}, key="4", contact=contact)
    contact.refresh_from_db()
    assert contact.attributes == {"points": 12.5}


def test_a_value_of_another_type_is_said_in_words(run_node: RunNode, contact: Contact, attributes: None) -> None:
    settings = {"attribute": "since", "value": "{{ trigger.day }}"}
    step = run_node("attribute", settings, contact=contact, data={"day": "tomorrow"})
    assert (step.status, step.reason) == ("failed", "not_a_date")
    assert step.detail.startswith("Since cannot be “tomorrow”. Write a date")
    contact.refresh_from_db()
    assert contact.attributes == {}


def test_what_the_steps_lack_is_said(problems: Problems, cast: Cast, attributes: None) -> None:
    foreign = Tag.objects.create(organization=cast.other, name="Theirs")
    assert "This tag was deleted" in problems("tag", {"what": "add", "tag": str(foreign.pk)})[0]
    assert "Choose the tag" in problems("tag", {"what": "add"})[0]
    assert "follows the opt-outs" in problems("tag", {"what": "add", "new": STOP_TAG})[0]
    assert "archived" in problems("attribute", {"attribute": "theirs", "value": "x"})[0]
    assert "Choose one of: Gold, Silver" in problems("attribute", {"attribute": "plan", "value": "Bronze"})[0]
    assert problems("attribute", {"attribute": "plan", "value": "{{ trigger.plan }}"}) == []


def test_a_test_changes_nothing(try_node: RunNode, contact: Contact, attributes: None) -> None:
    step = try_node("tag", {"what": "add", "new": "Welcomed"}, contact_id=contact.pk)
    assert step.status == "done" and step.output["tag"] == "Welcomed"
    step = try_node("attribute", {"attribute": "plan", "value": "gold"}, contact_id=contact.pk)
    assert step.output["value"] == "Gold"
    contact.refresh_from_db()
    assert not contact.tags.exists() and not contact.attributes
