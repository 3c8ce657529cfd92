"""Drafts and versions that this version of the product cannot read: a sentence with the way out, and never a fault."""

from typing import Any

import pytest

from messaging.automations.flow import read
from messaging.automations.models import Automation, AutomationVersion
from messaging.automations.publishing import pause, publish
from tests.conftest import Cast

from .conftest import Begin, say
from .test_pages import HTMX, nodes, post, url

pytestmark = pytest.mark.django_db

NEWER: dict[str, Any] = {"trigger": {"kind": "order"}, "nodes": [{"id": "step-1", "kind": "say"}]}
WORDS = "This version of Heliograph cannot read the draft. A step has no id like n1."


@pytest.fixture
def unreadable(cast: Cast, begin_draft: Begin) -> Automation:
    """Publish an automation, whose draft then becomes one of a newer version of the product."""
    made = begin_draft(say("n1", "First"))
    publish(made, actor=cast.owner)
    Automation.objects.update(draft=NEWER, draft_number=1)
    made.refresh_from_db()
    return made


@pytest.mark.parametrize(
    "path", ["", "?open=n1", "trigger/", "add/", "steps/n1/", "steps/trigger/", "test/", "export/", "webhook/"]
)
def test_pages_of_the_draft_say_so_and_lead_to_the_versions(cast: Cast, unreadable: Automation, path: str) -> None:
    answer = cast.client("owner").get(url(cast, unreadable, path), follow=True)
    page = answer.content.decode()
    assert answer.status_code == 409 and WORDS in page
    assert url(cast, unreadable, "versions/") in page
    assert cast.client("stranger").get(url(cast, unreadable, path)).status_code == 404


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("add/", {"kind": "say"}),
        ("trigger/", {"kind": "order"}),
        ("steps/n1/", {"text": "x"}),
        ("steps/n1/", {"do": "new_template", "new_template_name": "N", "new_template_text": "T"}),
        ("steps/n1/preview/", {"text": "x"}),
        ("steps/n1/move/", {"to": "up"}),
        ("steps/n1/copy/", {}),
        ("steps/n1/remove/", {}),
        ("undo/", {}),
        ("publish/", {}),
        ("test/", {"phone": "+4915123456789"}),
        ("webhook/secret/", {}),
        ("duplicate/", {}),
    ],
)
def test_nothing_is_done_to_what_cannot_be_read(
    cast: Cast, unreadable: Automation, path: str, data: dict[str, str]
) -> None:
    client = cast.client("owner")
    plain = client.post(url(cast, unreadable, path), {"draft": 1, **data}, follow=True)
    assert WORDS in plain.content.decode(), plain.redirect_chain
    client.post(url(cast, unreadable, path), {"draft": 1, **data}, **HTMX)
    unreadable.refresh_from_db()
    assert (unreadable.draft, unreadable.draft_number, unreadable.versions.count()) == (NEWER, 1, 1)
    assert Automation.objects.count() == 1


def test_part_of_the_page_asks_for_the_whole_one(cast: Cast, unreadable: Automation) -> None:
    answer = post(cast, unreadable, "steps/n1/copy/")
    assert answer.status_code == 302 and answer["Location"].startswith(url(cast, unreadable))
    part = cast.client("owner").get(url(cast, unreadable, "steps/n1/"), **HTMX)
    assert (part.status_code, part["HX-Redirect"]) == (204, url(cast, unreadable))


def test_version_that_can_be_read_becomes_the_draft_again(cast: Cast, unreadable: Automation) -> None:
    page = cast.client("owner").post(url(cast, unreadable, "versions/1/take/"), {"draft": 1}, follow=True)
    assert "The draft is version 1 again." in page.content.decode()
    assert [node.settings for node in nodes(unreadable)] == [{"text": "First"}]
    assert cast.client("owner").get(url(cast, unreadable)).status_code == 200


def test_lists_runs_and_settings_show_it_all_the_same(cast: Cast, unreadable: Automation) -> None:
    for path in ("automations/", f"automations/{unreadable.pk}/runs/", f"automations/{unreadable.pk}/settings/"):
        assert "Orders" in cast.client("owner").get(cast.url(path)).content.decode()


def test_published_version_that_cannot_be_read_is_replaced_by_publishing_anew(cast: Cast, begin_draft: Begin) -> None:
    made = begin_draft(say("n1"))
    publish(made, actor=cast.owner)
    AutomationVersion.objects.update(flow=NEWER)
    looked = cast.client("owner").get(url(cast, made, "versions/1/"))
    assert looked.status_code == 409 and "cannot read version 1." in looked.content.decode()
    assert "runs from now on" in cast.client("owner").post(
        url(cast, made, "publish/"), {"draft": made.draft_number}, follow=True
    ).content.decode()  # fmt: skip
    made.refresh_from_db()
    assert made.live is not None and made.live.number == 2 and read(made.live.flow).nodes


def test_automation_whose_version_cannot_be_read_stays_paused_and_says_why(cast: Cast, begin_draft: Begin) -> None:
    made = begin_draft(say("n1"))
    publish(made, actor=cast.owner)
    pause(made, actor=cast.owner)
    AutomationVersion.objects.update(flow=NEWER)
    page = cast.client("owner").post(cast.url(f"automations/{made.pk}/resume/"), follow=True).content.decode()
    assert "This version of Heliograph cannot read what was published." in page
    made.refresh_from_db()
    assert made.status == "paused"
