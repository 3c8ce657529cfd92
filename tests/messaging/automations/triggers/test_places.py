"""Every place where a contact is made, changed or tagged tells of it, and only of what is new."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from messaging.automations import looking
from messaging.automations.base import Scope
from messaging.automations.flow import Flow, NodeSpec
from messaging.automations.models import Automation
from messaging.automations.publishing import create, publish
from messaging.automations.registry import every_trigger
from messaging.automations.triggers.contacts import ContactCreated
from messaging.automations.triggers.dates import Rule
from messaging.contacts.address_book import add_tag
from messaging.contacts.models import AttributeDefinition, Contact
from messaging.contacts.telling import tell_created
from messaging.inbox.models import KeywordRule
from messaging.jobs.models import Job
from tests.conftest import Cast
from tests.factories import ContactFactory
from tests.messaging.api.conftest import Caller, api, make_caller
from tests.messaging.automations.conftest import carry_on
from tests.messaging.contact_files.conftest import Checked, checked, imported

from .conftest import Listening, begun
from .test_messages import writes

__all__ = ["api", "checked", "imported", "make_caller"]
pytestmark = pytest.mark.django_db

FILE = "Phone;Name;Tags;City\n+4930123456;Ada;VIP;Berlin\n+4930123457;Bob;;Bonn\n"


def test_an_import_tells_of_new_changed_and_tagged_contacts_and_the_second_time_of_none(
    cast: Cast, listening: Listening, imported: Checked
) -> None:
    AttributeDefinition.objects.create(organization=cast.organization, key="city", label="City")
    created, tagged = listening("contact_created"), listening("contact_tagged")
    changed = listening("contact_changed", field="city")
    known = ContactFactory(organization=cast.organization, phone="+4930123456", attributes={"city": "Ulm"})
    for _ in range(2):
        imported(FILE, columns={"attr.city": 3})
        assert begun(created) == [{"source": "import"}]
        assert begun(tagged) == [{"tag": "VIP"}]
        assert [(data["before"], data["after"]) for data in begun(changed)] == [("Ulm", "Berlin")]
    assert tagged.runs.get().contact == known == changed.runs.get().contact
    assert Job.objects.filter(state=Job.State.DONE).count() >= 2


def test_an_import_that_nobody_listens_to_asks_once_more_for_a_batch(
    cast: Cast, imported: Checked, django_assert_max_num_queries: Any
) -> None:
    rows = "".join(f"+4930123{number:03d};N{number}\n" for number in range(300))
    with django_assert_max_num_queries(150):
        imported("Phone;Name\n" + rows)
    assert Contact.objects.count() == 300


def test_who_writes_for_the_first_time_is_a_new_contact_and_a_rule_may_tag_them(
    cast: Cast, connection: Any, listening: Listening
) -> None:
    created, tagged = listening("contact_created"), listening("contact_tagged")
    KeywordRule.objects.create(organization=cast.organization, name="Hours", words=["hours"], tag="asked")
    for _ in range(2):
        writes(connection, "hours")
    assert begun(created) == [{"source": "inbound"}] and begun(tagged) == [{"tag": "asked"}]


def test_a_rule_that_opts_out_is_no_text_for_automations(cast: Cast, connection: Any, listening: Listening) -> None:
    received, opted_out = listening("message_received"), listening("contact_opted_out")
    KeywordRule.objects.create(organization=cast.organization, name="Bye", words=["bye"], opts_out=True)
    writes(connection, "bye")
    assert begun(received) == [] and [data["source"] for data in begun(opted_out)] == ["keyword"]


def test_the_api_tells_of_what_it_makes_and_changes(cast: Cast, listening: Listening, api: Caller) -> None:
    created, tagged, changed = (listening(f"contact_{what}") for what in ("created", "tagged", "changed"))
    made = api.post("contacts", {"phone": "+4930123456", "tags": ["VIP"]}).json()
    for _ in range(2):
        api.call("PATCH", f"contacts/{made['id']}", {"name": "Ada", "tags": ["VIP", "new"]})
    assert begun(created) == [{"source": "system"}]
    assert begun(tagged) == [{"tag": "VIP"}, {"tag": "new"}]
    assert [data["after"] for data in begun(changed)] == ["Ada"]


def test_every_trigger_says_itself_and_its_fields_without_any_settings(cast: Cast) -> None:
    for trigger in every_trigger():
        scope = Scope(cast.organization)
        assert trigger.describe(scope, {}) and trigger.text.endswith((".", "test.")), trigger.key
        assert all(field.path.startswith("trigger.") for field in trigger.fields(scope, {})), trigger.key
        assert list(trigger.notes(scope, {})) is not None
        form = trigger.form(scope=scope)
        assert str(form.as_p()) is not None
        bound = trigger.form(
            trigger.form.to_data({"at": [], "tag": {}, "days": 5, "name": None, "limit": "x"}), scope=scope
        )
        bound.is_valid()  # whatever a file brings: no fault


def test_an_automation_that_tags_does_not_follow_itself(cast: Cast) -> None:
    flow = Flow("contact_tagged", {}, (NodeSpec("n1", "tag", {"what": "add", "new": "seen"}),), 1)
    made = [create(cast.organization, name=name, flow=flow, actor=cast.admin) for name in ("One", "Two")]
    for automation in made:
        publish(automation, actor=cast.admin)
    contact = ContactFactory(organization=cast.organization)
    add_tag(contact, name="VIP", actor=cast.agent)
    carry_on()
    assert sorted(contact.tags.values_list("name", flat=True)) == ["VIP", "seen"]
    # Both begin by VIP; the first tags, which the other hears of and has nothing left to do for.
    counts = [(one.runs.filter(status="done").count(), one.runs.filter(reason="loop").count()) for one in made]
    assert sorted(counts) == [(1, 1), (2, 0)]


def test_a_fault_of_one_trigger_is_its_own_and_stands_in_its_list(
    cast: Cast, listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, whole = listening("contact_created"), listening("contact_tagged")

    def fail(*_: Any) -> bool:
        raise RuntimeError("a bug")

    monkeypatch.setattr(ContactCreated, "fits", fail)
    contact = ContactFactory(organization=cast.organization)
    tell_created(cast.organization.pk, [contact], source="member")
    add_tag(contact, name="VIP", actor=cast.agent)
    assert begun(whole) == [{"tag": "VIP"}]
    run = broken.runs.get()
    assert (run.status, run.reason, run.contact) == ("skipped", "internal", contact) and "worker’s log" in run.detail


def test_a_fault_of_one_that_looks_holds_up_no_other(
    cast: Cast, listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    AttributeDefinition.objects.create(organization=cast.organization, key="due", label="Due", kind="date")
    broken = listening("contact_date", attribute="due", amount=0, unit="days", direction="before", at="9:00")
    whole = listening("schedule", every="minutes", minutes=5)
    with monkeypatch.context() as patch:
        patch.setattr(Rule, "of", lambda settings: 1 / 0)
        Automation.objects.update(next_look_at=Now() - timedelta(minutes=1), looked_until=Now() - timedelta(minutes=6))
        assert looking.look_all() == 1 and whole.runs.count() == 1
    broken.refresh_from_db()
    assert broken.next_look_at is not None and broken.next_look_at > timezone.now() + timedelta(minutes=4)
    Automation.objects.update(next_look_at=Now())
    assert looking.look_all() == 2
