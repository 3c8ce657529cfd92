"""The panel of a webhook: its address and secret, shown once; what came and what was refused, as it comes."""

import json
from typing import Any

import pytest

from messaging.automations import hooks
from messaging.automations.models import Automation
from messaging.automations.trigger_models import AutomationHook
from tests.conftest import Cast

from .conftest import Begin, say
from .test_pages import HTMX, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(begin_draft: Begin) -> Automation:
    return begin_draft(say("n1"), trigger="webhook", auth="secret")


def panel(cast: Cast, automation: Automation) -> str:
    return cast.client("owner").get(url(cast, automation, "steps/trigger/"), **HTMX).content.decode()


def test_looking_makes_no_address(cast: Cast, shop: Automation) -> None:
    assert "Make address and secret" in panel(cast, shop)
    assert not AutomationHook.objects.exists()


def test_secret_is_shown_once_and_made_anew(cast: Cast, shop: Automation) -> None:
    client = cast.client("owner")
    made = client.post(url(cast, shop, "webhook/secret/"), **HTMX)
    secret = AutomationHook.objects.get().secret.reveal()
    assert secret in made.content.decode()
    assert made["Cache-Control"] == "no-store"
    page = panel(cast, shop)
    assert secret not in page
    assert hooks.address_of(AutomationHook.objects.get()) in page
    assert "Bearer YOUR-SECRET" in page
    again = client.post(url(cast, shop, "webhook/secret/")).content.decode()
    assert secret not in again
    assert "Back to the trigger" in again, "without scripts it is a page of its own"
    for who, status in (("agent", 403), ("viewer", 403), ("stranger", 404)):
        assert cast.client(who).post(url(cast, shop, "webhook/secret/")).status_code == status


def test_signed_calls_have_an_example_of_their_own(cast: Cast, begin_draft: Begin) -> None:
    automation = begin_draft(say("n1"), trigger="threshold", auth="signature")
    hooks.make_secret(automation, actor=cast.owner)
    assert "X-Heliograph-Signature: t=$T,v1=$MAC" in panel(cast, automation)


def test_what_came_and_was_refused_is_shown_as_it_comes(cast: Cast, shop: Automation) -> None:
    secret = hooks.make_secret(shop, actor=cast.owner)
    client, news = cast.client("owner"), url(cast, shop, "webhook/")
    assert "Waiting for a first call…" in client.get(news, **HTMX).content.decode()
    assert client.get(f"{news}?seen=0-0", **HTMX).status_code == 204
    path = f"/hooks/automations/{AutomationHook.objects.get().key}"

    def call(body: Any, **headers: str) -> int:
        data = json.dumps(body)
        return cast.client(None).post(path, data, content_type="application/json", headers=headers).status_code

    assert call({"a": 1}) == 401
    assert call({"order": {"id": 17}}, Authorization=f"Bearer {secret}") == 202
    page = client.get(f"{news}?seen=0-0", **HTMX).content.decode()
    assert "&quot;id&quot;: 17" in page
    assert "Send the secret as Authorization" in page
    assert 'data-path="trigger.order.id"' in client.get(url(cast, shop, "steps/n1/"), **HTMX).content.decode()
    test = client.get(url(cast, shop, "test/")).content.decode()
    assert "&quot;id&quot;: 17" in test, "a test begins with what came last"
    assert client.get(news).status_code == 302


def test_other_triggers_have_no_address(cast: Cast, begin_draft: Begin) -> None:
    automation = begin_draft(say("n1"))
    assert "Make address" not in panel(cast, automation)
    cast.client("owner").post(url(cast, automation, "webhook/secret/"))
    assert not AutomationHook.objects.exists()
    assert cast.client("owner").get(url(cast, automation, "webhook/"), **HTMX).status_code == 204


def test_next_times_of_a_schedule_are_said(cast: Cast, begin_draft: Begin) -> None:
    automation = begin_draft(say("n1"), trigger="schedule", every="day", at="09:00")
    page = panel(cast, automation)
    assert "Next:" in page
    assert page.count("09:00;") == 2
