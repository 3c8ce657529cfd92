"""Test runs from the page: sample data with its types, the virtual phone, and what each step did."""

from typing import Any

import pytest

from messaging.automations import engine
from messaging.automations.fields import Field, Type
from messaging.automations.models import Run
from messaging.automations.trying import SampleProblem, read_fields, read_json
from tests.conftest import Cast

from .conftest import Begin, say

pytestmark = pytest.mark.django_db


def test_values_are_read_with_their_types() -> None:
    fields = [
        Field("trigger.number", "Number", Type.NUMBER),
        Field("trigger.price", "Price", Type.NUMBER),
        Field("trigger.order.gift", "Gift", Type.YES_NO),
        Field("trigger.note", "Note"),
    ]
    typed = {"trigger.number": "17", "trigger.price": "3,5", "trigger.order.gift": "Yes", "trigger.note": " "}
    assert read_fields(fields, typed) == {"trigger": {"number": 17, "price": 3.5, "order": {"gift": True}}}
    for wrong in ({"trigger.number": "many"}, {"trigger.order.gift": "perhaps"}):
        with pytest.raises(SampleProblem):
            read_fields(fields, wrong)


@pytest.mark.parametrize("text", ["{", "[1]", "7", "x" * 200_001])
def test_json_that_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(SampleProblem):
        read_json(text)


def test_json_gets_keys_that_texts_can_name() -> None:
    assert read_json('{"Order-ID": 7, "lines": [{"a": 1}]}') == {"Order_ID": 7, "lines": {"_0": {"a": 1}}}
    assert read_json("") == {}


def test_test_run_follows_the_draft(cast: Cast, begin_draft: Begin) -> None:
    automation = begin_draft(say("n1", "Order {{ trigger.number }} of {{ contact.name }}"))
    client, here = cast.client("owner"), cast.url(f"automations/{automation.pk}/test/")
    page = client.get(here).content.decode()
    assert 'name="f:trigger.number" value="17"' in page
    assert 'value="Anna Schmidt"' in page
    data: dict[str, Any] = {"phone": "+49 151 23456789", "f:trigger.number": "99", "f:contact.name": "Ben"}
    begun = client.post(here, data)
    run = Run.objects.get(automation=automation)
    assert begun["Location"].endswith(f"/test/{run.pk}/")
    assert (run.is_test, run.phone) == (True, "+4915123456789")
    waiting = client.get(begun["Location"]).content.decode()
    assert "hx-trigger" in waiting
    engine.work(seconds=5)
    over = client.get(begun["Location"]).content.decode()
    assert "Order 99 of Ben" in over
    part = client.get(begun["Location"], HTTP_HX_REQUEST="true").content.decode()
    assert "hx-trigger" not in part.partition("<ol")[0]
    for who, status in (("agent", 403), ("viewer", 403), ("stranger", 404)):
        assert cast.client(who).get(here).status_code == status
        assert cast.client(who).get(begun["Location"]).status_code == status


def test_bad_samples_stand_on_the_page_and_keep_what_was_typed(cast: Cast, begin_draft: Begin) -> None:
    automation = begin_draft(say("n1"))
    client, here = cast.client("owner"), cast.url(f"automations/{automation.pk}/test/")
    wrong = client.post(here, {"phone": "+4915123456789", "f:trigger.number": "many"})
    assert wrong.status_code == 422
    assert "Number of the order: write a number." in wrong.content.decode()
    assert 'value="many"' in wrong.content.decode()
    assert client.post(here, {"phone": "12"}).status_code == 422
    assert not Run.objects.exists()


def test_draft_that_lacks_things_is_not_tried(cast: Cast, begin_draft: Begin) -> None:
    automation = begin_draft(say("n1", ""))
    page = cast.client("owner").post(
        cast.url(f"automations/{automation.pk}/test/"), {"phone": "+4915123456789"}
    ).content.decode()  # fmt: skip
    assert "Some steps are not ready yet. Text: Write what to say." in page


def test_other_runs_are_no_test_runs(cast: Cast, begin_draft: Begin) -> None:
    automation, other = begin_draft(say("n1")), begin_draft(say("n1"))
    client = cast.client("owner")
    client.post(cast.url(f"automations/{other.pk}/test/"), {"phone": "+4915123456789"})
    run = Run.objects.get()
    assert client.get(cast.url(f"automations/{automation.pk}/test/{run.pk}/")).status_code == 404
