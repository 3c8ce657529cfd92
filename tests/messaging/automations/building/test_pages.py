"""The builder's pages: who may, what a change shows, bad input, and two tabs."""

from typing import Any

import pytest

from messaging.automations.flow import NodeSpec, read
from messaging.automations.models import Automation
from messaging.automations.publishing import publish
from messaging.templates.models import Template
from tests.conftest import Cast

from .conftest import Begin, say

pytestmark = pytest.mark.django_db

HTMX = {"HTTP_HX_REQUEST": "true"}


def url(cast: Cast, automation: Automation, path: str = "") -> str:
    return cast.url(f"automations/{automation.pk}/{path}")


def nodes(automation: Automation) -> list[NodeSpec]:
    automation.refresh_from_db()
    return list(read(automation.draft).walk())


def post(cast: Cast, automation: Automation, path: str, who: str = "owner", **data: Any) -> Any:
    automation.refresh_from_db()
    values = {"draft": automation.draft_number, **data}
    return cast.client(who).post(url(cast, automation, path), values)


def test_everybody_of_the_organization_sees_the_flow_and_builders_change_it(cast: Cast, begin_draft: Begin) -> None:
    automation = begin_draft(say("n1", "Thank you"))
    for who in ("owner", "admin", "agent", "viewer"):
        page = cast.client(who).get(url(cast, automation)).content.decode()
        assert "When Harbour gets an order" in page
        assert "Say “Thank you”" in page
        assert ("Add a step here" in page) == (who in {"owner", "admin"}), who
        assert ('id="publish"' in page) == (who in {"owner", "admin"}), who
    for path in ("", "add/", "trigger/", "steps/n1/", "test/", "export/", "versions/"):
        assert cast.client("stranger").get(url(cast, automation, path)).status_code == 404
        assert (
            cast.client("stranger").get(cast.url(f"automations/{automation.pk}/{path}", cast.other)).status_code == 404
        )


def test_step_is_added_at_the_plus_and_opened(cast: Cast, begin_draft: Begin) -> None:
    automation = begin_draft(NodeSpec("n1", "fork"))
    menu = cast.client("owner").get(url(cast, automation, "add/?parent=n1&branch=yes&index=0")).content.decode()
    assert "Say a text." in menu
    assert 'name="branch" value="yes"' in menu
    answer = post(cast, automation, "add/", kind="say", parent="n1", branch="yes", index="0")
    assert answer["Location"].endswith("?open=n2#build-panel")
    assert [node.id for node in nodes(automation)[0].branches["yes"]] == ["n2"]
    page = cast.client("owner").get(url(cast, automation, "?open=n2")).content.decode()
    assert "Text: Write what to say." in page, "the card says what it lacks"
    assert 'role="alert"' not in page, "who has only begun is told nothing off"


def test_settings_are_saved_or_refused_at_the_field(cast: Cast, begin_draft: Begin) -> None:
    automation = begin_draft(say("n1"))
    refused = post(cast, automation, "steps/n1/", text="", loud="on")
    assert refused.status_code == 422
    assert "Write what to say." in refused.content.decode()
    assert "checked" in refused.content.decode()
    assert nodes(automation)[0].settings == {"text": "Hello"}
    saved = post(cast, automation, "steps/n1/", text="Order {{ trigger.number }}", loud="on")
    assert saved.status_code == 302
    assert nodes(automation)[0].settings == {"text": "Order {{ trigger.number }}", "loud": True}


def test_unknown_field_is_said_on_the_card(cast: Cast, begin_draft: Begin) -> None:
    automation = begin_draft(say("n1", "{{ n2.said }}"), say("n2"))
    page = cast.client("owner").get(url(cast, automation)).content.decode()
    assert "{{ n2.said }} is not known here." in page
    assert "Not ready to be published" in page


def test_fields_that_are_known_are_offered_with_label_type_and_example(cast: Cast, begin_draft: Begin) -> None:
    automation = begin_draft(say("n1"), say("n2"))
    page = cast.client("owner").get(url(cast, automation, "steps/n2/")).content.decode()
    for words in ("Number of the order", "number · for example “17”", "What was said", 'data-path="n1.said"'):
        assert words in page
    assert 'data-path="n2.said"' not in page


def test_text_is_previewed_with_sample_values(cast: Cast, begin_draft: Begin) -> None:
    automation = begin_draft(say("n1"))
    answer = post(cast, automation, "steps/n1/preview/", text="Order {{ trigger.number }} from {{ contact.name }}")
    page = answer.content.decode()
    assert "17" in page
    assert "Anna Schmidt" in page
    assert "GSM" in page
    assert "not closed" in post(cast, automation, "steps/n1/preview/", text="{{ open").content.decode()


def test_another_tab_overwrites_nothing_and_loses_nothing(cast: Cast, begin_draft: Begin) -> None:
    automation = begin_draft(say("n1"))
    post(cast, automation, "steps/n1/", text="First")
    late = cast.client("admin").post(url(cast, automation, "steps/n1/"), {"draft": 0, "text": "Second"})
    assert late.status_code == 409
    page = late.content.decode()
    assert "Somebody changed this automation meanwhile" in page
    assert "Second" in page, "what was typed is kept"
    assert nodes(automation)[0].settings["text"] == "First"
    assert 'name="draft" value="1"' in page, "saved again, it goes over that knowingly"
    gone = cast.client("admin").post(url(cast, automation, "steps/n1/remove/"), {"draft": 0}, **HTMX)
    assert "Somebody changed this automation meanwhile" in gone.content.decode()
    assert len(nodes(automation)) == 1


def test_moves_by_buttons_and_by_drop(cast: Cast, begin_draft: Begin) -> None:
    automation = begin_draft(say("n1"), NodeSpec("n2", "fork"))
    post(cast, automation, "steps/n1/move/", to="down")
    assert [node.id for node in nodes(automation)] == ["n2", "n1"]
    assert read(automation.draft).place_of("n1").branch == "yes"
    post(cast, automation, "steps/n1/move/", parent="n2", branch="no", index="0")
    automation.refresh_from_db()
    assert read(automation.draft).place_of("n1").branch == "no"
    refused = cast.client("owner").post(
        url(cast, automation, "steps/n2/move/"), {"draft": 2, "parent": "n2", "branch": "no", "index": "0"}, **HTMX
    )
    assert "cannot be moved into its own branch" in refused.content.decode()
    assert refused["HX-Retarget"] == "#builder"


def test_copy_remove_undo_and_redo(cast: Cast, begin_draft: Begin) -> None:
    automation = begin_draft(say("n1"))
    post(cast, automation, "steps/n1/copy/")
    post(cast, automation, "steps/n1/remove/")
    assert [node.id for node in nodes(automation)] == ["n2"]
    post(cast, automation, "undo/", to="back")
    assert [node.id for node in nodes(automation)] == ["n1", "n2"]
    post(cast, automation, "undo/", to="forward")
    assert [node.id for node in nodes(automation)] == ["n2"]
    post(cast, automation, "undo/", to="forward")
    page = cast.client("owner").get(url(cast, automation)).content.decode()
    assert "Undo: removed Say" in page


def test_trigger_is_chosen_and_configured(cast: Cast, begin_draft: Begin) -> None:
    automation = begin_draft(trigger="")
    page = cast.client("owner").get(url(cast, automation)).content.decode()
    assert "Choose what sets the automation off." in page
    assert "An order comes in." in cast.client("owner").get(url(cast, automation, "trigger/")).content.decode()
    post(cast, automation, "trigger/", kind="order")
    assert post(cast, automation, "steps/trigger/", shop="").status_code == 422
    post(cast, automation, "steps/trigger/", shop="Harbour")
    automation.refresh_from_db()
    assert read(automation.draft).trigger_settings == {"shop": "Harbour"}


@pytest.mark.parametrize("path", ["steps/n9/", "versions/7/"])
def test_what_is_not_there(cast: Cast, begin_draft: Begin, path: str) -> None:
    automation = begin_draft(say("n1"))
    assert cast.client("owner").get(url(cast, automation, path)).status_code == 404
    assert cast.client("owner").get(url(cast, automation, "?open=n9")).status_code == 200


def test_nonsense_is_refused_in_words(cast: Cast, begin_draft: Begin) -> None:
    automation = begin_draft(say("n1"))
    client = cast.client("owner")
    expected: list[tuple[str, dict[str, str], str]] = [
        ("add/", {"kind": "teleport"}, "There is no such step."),
        ("add/", {"kind": "say", "parent": "n77", "index": "x"}, "is not there any more. Load the page again."),
        ("trigger/", {"kind": ""}, "There is no such trigger."),
        ("steps/n9/", {"text": "Hello"}, "This step is not there any more"),
        ("steps/n9/move/", {"to": "up"}, "This step is not there any more"),
        ("steps/n9/remove/", {}, "This step is not there any more"),
        ("undo/", {"to": "sideways"}, "There is nothing more to be undone"),
    ]
    for path, data, words in expected:
        answer = client.post(url(cast, automation, path), {"draft": 0, **data}, **HTMX)
        page = answer.content.decode()
        assert answer.status_code == 200 and "hg-notice-danger" in page and words in page, path
    moved = client.post(url(cast, automation, "steps/n1/move/"), {"to": "up", "draft": "-3"}, **HTMX)
    assert "hg-notice-danger" not in moved.content.decode(), "where it stands already nothing is changed"
    assert len(nodes(automation)) == 1 and automation.draft_number == 0


def test_published_with_what_it_means(cast: Cast, begin_draft: Begin) -> None:
    automation = begin_draft(say("n1"))
    post(cast, automation, "publish/")
    automation.refresh_from_db()
    assert (automation.status, automation.live.number) == ("live", 1)  # type: ignore[union-attr]
    post(cast, automation, "steps/n1/", text="Other")
    page = cast.client("owner").get(url(cast, automation)).content.decode()
    assert "version 1 still runs" in page
    stale = cast.client("owner").post(url(cast, automation, "publish/"), {"draft": 0}, follow=True)
    assert "Nothing was published" in stale.content.decode()
    post(cast, automation, "publish/")
    automation.refresh_from_db()
    assert automation.live.number == 2  # type: ignore[union-attr]


def test_what_is_not_ready_is_not_published(cast: Cast, begin_draft: Begin) -> None:
    automation = begin_draft(say("n1", "{{ nobody.knows }}"))
    page = cast.client("owner").post(url(cast, automation, "publish/"), {"draft": 0}, follow=True).content.decode()
    assert "Some steps are not ready yet." in page
    automation.refresh_from_db()
    assert automation.live is None
    assert post(cast, automation, "publish/", who="agent").status_code == 403


def test_versions_are_listed_looked_at_and_taken_back(cast: Cast, begin_draft: Begin) -> None:
    automation = begin_draft(say("n1", "First"))
    publish(automation, actor=cast.admin)
    post(cast, automation, "steps/n1/", text="Second")
    publish(Automation.objects.get(pk=automation.pk), actor=cast.owner)
    page = cast.client("viewer").get(url(cast, automation, "versions/")).content.decode()
    assert "Version 2" in page
    assert "by Admin" in page
    assert "Take it back" not in page
    assert "Say “First”" in cast.client("viewer").get(url(cast, automation, "versions/1/")).content.decode()
    assert post(cast, automation, "versions/1/take/", who="agent").status_code == 403
    assert post(cast, automation, "versions/1/take/").status_code == 302
    assert nodes(automation)[0].settings == {"text": "First"}
    assert cast.client("owner").get(url(cast, automation, "versions/0/")).status_code == 404


def test_template_is_written_on_the_spot(cast: Cast, begin_draft: Begin) -> None:
    automation = begin_draft(NodeSpec("n1", "send_sms"))
    wrong = post(cast, automation, "steps/n1/", do="new_template", new_template_name="", new_template_text="Hi")
    assert "Give the template a name." in wrong.content.decode()
    assert "Hi" in wrong.content.decode()
    made = post(
        cast, automation, "steps/n1/", do="new_template", to="contact",
        new_template_name="Thanks", new_template_text="Thank you for {{ order }}",
    )  # fmt: skip
    template = Template.objects.get(organization=cast.organization, name="Thanks")
    page = made.content.decode()
    assert f'value="{template.pk}" selected' in page
    assert "{{ order }}" in page, "the variables of the template are asked for"
    assert nodes(automation)[0].settings == {}, "nothing of the step is saved before it is"


def test_form_that_asks_for_other_fields_is_not_checked(cast: Cast, begin_draft: Begin) -> None:
    automation = begin_draft(say("n1"))
    looked = post(cast, automation, "steps/n1/", do="look", text="")
    assert looked.status_code == 200
    assert "Write what to say." not in looked.content.decode().partition('id="panel-form"')[2]


def test_a_template_that_only_narrows_a_trigger_is_not_written_there(cast: Cast, begin_draft: Begin) -> None:
    automation = begin_draft(NodeSpec("n1", "send_sms"), trigger="message_failed")
    trigger = cast.client("owner").get(url(cast, automation, "steps/trigger/"), **HTMX).content.decode()
    assert "Any message" in trigger and "new_template_name" not in trigger and "As it arrives" not in trigger
    step = cast.client("owner").get(url(cast, automation, "steps/n1/"), **HTMX).content.decode()
    assert "new_template_name" in step and "As it arrives" in step
