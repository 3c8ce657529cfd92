"""Alerts in the product: on every page, on their own, on the dashboard, in the sidebar."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.connections.models import Connection
from messaging.alerts.mail import wants_mail
from messaging.alerts.models import Alert
from messaging.alerts.raising import clear_alert, raise_alert
from messaging.alerts.watch import watch
from tests.conftest import Cast

pytestmark = pytest.mark.django_db
TEXT = "2 messages need a person."


@pytest.fixture
def alert(cast: Cast) -> Alert:
    raise_alert(cast.organization, kind="needs_person", text=TEXT, link="/messages/?status=unknown")
    return Alert.objects.get()


def page(cast: Cast, who: str, path: str = "alerts/") -> str:
    answer = cast.client(who).get(cast.url(path))
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("path", ["messages/", "contacts/", "alerts/", ""])
def test_every_page_says_it_once_with_the_way_to_the_remedy(cast: Cast, alert: Alert, path: str) -> None:
    text = page(cast, "viewer", path)
    assert text.count(TEXT) == 1
    assert '/o/acme/messages/?status=unknown"' in text


def test_stranger_sees_nothing_of_it(cast: Cast, alert: Alert) -> None:
    answer = cast.client("stranger").get(cast.url("alerts/", cast.other))
    assert TEXT not in answer.content.decode()
    assert "All is well" in answer.content.decode()
    assert cast.client("stranger").get(cast.url("alerts/")).status_code == 404
    address = cast.url(f"alerts/{alert.pk}/dismiss/", cast.other)
    assert cast.client("stranger").post(address).status_code == 404


def test_admin_dismisses_it_and_may_show_it_again(cast: Cast, alert: Alert) -> None:
    client, address = cast.client("admin"), cast.url(f"alerts/{alert.pk}/dismiss/")
    assert client.post(address).status_code == 302
    assert TEXT not in page(cast, "agent", "messages/")
    assert "Dismissed" in page(cast, "agent")
    assert "1 more alert, dismissed but not over" in page(cast, "agent", "")
    assert "over by now" in client.post(address, follow=True).content.decode()
    client.post(address, {"again": "1"})
    assert TEXT in page(cast, "agent", "messages/")


def test_agent_may_not_dismiss_and_has_no_letters_to_choose(cast: Cast, alert: Alert) -> None:
    assert cast.client("agent").post(cast.url(f"alerts/{alert.pk}/dismiss/")).status_code == 403
    assert cast.client("agent").post(cast.url("alerts/mail/"), {"wants": "no"}).status_code == 403
    assert "Dismiss<" not in page(cast, "agent")
    assert "E-mail to you" not in page(cast, "agent")
    alert.refresh_from_db()
    assert alert.dismissed_at is None


def test_admin_switches_letters_off_and_on_for_themselves_only(cast: Cast) -> None:
    client, address = cast.client("admin"), cast.url("alerts/mail/")
    for wants in ("no", "no", "yes"):
        client.post(address, {"wants": wants})
        assert wants_mail(cast.member("admin")) == (wants == "yes")
        assert wants_mail(cast.member("owner"))
    assert "Send me no e-mail" in page(cast, "admin")


def test_past_alerts_are_listed_in_pages(cast: Cast) -> None:
    now = timezone.now()
    Alert.objects.bulk_create(
        Alert(
            organization=cast.organization,
            kind="queue_old",
            text=f"Number {number}.",
            raised_at=now - timedelta(hours=number),
            cleared_at=now,
        )
        for number in range(35)
    )
    first = cast.client("viewer").get(cast.url("alerts/"))
    assert "Number 0." in first.content.decode()
    assert "Number 30." not in first.content.decode()
    second = cast.client("viewer").get(cast.url("alerts/"), {"before": first.context["next"]}).content.decode()
    assert "Number 30." in second
    assert "Number 0." not in second
    for nonsense in ("x", "2026-13-45", "2026-01-01"):
        assert cast.client("viewer").get(cast.url("alerts/"), {"before": nonsense}).status_code == 200


def test_sidebar_counts_what_is_open(cast: Cast, alert: Alert) -> None:
    def badge() -> str:
        groups = cast.client("viewer").get(cast.url("contacts/")).context["sidebar_navigation"]
        return next(item.get("badge", "") for group in groups for item in group["items"] if item["title"] == "Alerts")

    assert badge() == "1"
    clear_alert(cast.organization, kind="needs_person")
    assert badge() == ""


def test_gravest_stands_first(cast: Cast, connection: Connection) -> None:
    Connection.objects.update(status="broken", broken_code=20003)
    watch()
    raise_alert(cast.organization, kind="needs_person", text=TEXT)
    text = page(cast, "viewer")
    assert text.index("is broken") < text.index(TEXT)
