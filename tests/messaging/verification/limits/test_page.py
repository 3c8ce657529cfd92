"""The page of verification limits: who may see it, what it saves and refuses, paused prefixes and their release."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.organizations.models import AuditEntry
from messaging.verification.limit_models import PausedPrefix, VerificationPolicy
from messaging.verification.limits import LIMITS
from tests.conftest import Cast
from tests.messaging.verification.limits.street import Street

pytestmark = pytest.mark.django_db
PAGE = "settings/verification-limits/"


@pytest.fixture
def paused(cast: Cast) -> PausedPrefix:
    return PausedPrefix.objects.create(
        organization=cast.organization, prefix="+49151123", region="DE", reason="growth", sent=12, approved=1,
        until=timezone.now() + timedelta(hours=6),
    )  # fmt: skip


def test_admin_saves_figures_and_countries_once(cast: Cast, street: Street) -> None:
    client = cast.client("admin")
    page = client.get(cast.url(PAGE)).content.decode()
    for limit in LIMITS.values():
        assert f"{limit.title}: {limit.unit}" in page
    assert "Codes are sent to numbers of Germany" in page
    for _ in range(2):
        assert client.post(cast.url(PAGE), {"number": "3", "regions": ["FR", "NL"]}).status_code == 302
    policy = VerificationPolicy.objects.get()
    assert (policy.number, policy.ip, policy.regions) == (3, None, ["FR", "NL"])
    assert AuditEntry.objects.filter(action="verification.limits_changed").count() == 1
    assert "changed the verification limits" in cast.client("owner").get(cast.url("audit/")).content.decode()
    assert street.ask("+33612345678") == ""
    assert client.post(cast.url(PAGE), {}).status_code == 302
    policy.refresh_from_db()
    assert (policy.number, policy.regions) == (None, [])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"number": "0"}, "greater than or equal to 1"),
        ({"ip": "many"}, "whole number"),
        ({"resend": "601"}, "less than or equal to 600"),
        ({"regions": ["XX"]}, "XX"),
    ],
)
def test_wrong_figures_are_told_at_the_field_and_save_nothing(cast: Cast, wrong: dict[str, object], words: str) -> None:
    answer = cast.client("admin").post(cast.url(PAGE), wrong)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not VerificationPolicy.objects.exists()


@pytest.mark.parametrize(("who", "status"), [("agent", 403), ("viewer", 403), ("stranger", 404), (None, 302)])
def test_others_may_not(cast: Cast, paused: PausedPrefix, who: str | None, status: int) -> None:
    client = cast.client(who)
    assert client.get(cast.url(PAGE)).status_code == status
    assert client.post(cast.url(PAGE), {"number": "3"}).status_code == status
    assert client.post(cast.url(f"{PAGE}prefixes/{paused.pk}/release/")).status_code == status
    paused.refresh_from_db()
    assert paused.released_at is None
    assert not VerificationPolicy.objects.exists()


def test_paused_prefix_is_shown_and_released_once(cast: Cast, paused: PausedPrefix) -> None:
    client, address = cast.client("admin"), cast.url(f"{PAGE}prefixes/{paused.pk}/release/")
    page = client.get(cast.url(PAGE)).content.decode()
    assert "+49151123…" in page
    assert "12 codes in an hour, 1 confirmed" in page
    assert "Sudden growth" in page
    done = client.post(address, follow=True).content.decode()
    assert "Numbers that begin with +49151123 get codes again." in done
    assert "Paused prefixes" not in done
    assert "was not paused any more" in client.post(address, follow=True).content.decode()
    paused.refresh_from_db()
    assert paused.released_by == cast.admin
    assert "released the prefix +49151123" in cast.client("owner").get(cast.url("audit/")).content.decode()


def test_prefix_of_another_organization_is_not_found(cast: Cast, paused: PausedPrefix) -> None:
    address = cast.url(f"{PAGE}prefixes/{paused.pk}/release/", cast.other)
    assert cast.client("stranger").post(address).status_code == 404
    assert "+49151123" not in cast.client("stranger").get(cast.url(PAGE, cast.other)).content.decode()


def test_page_says_what_was_refused_lately(cast: Cast, street: Street) -> None:
    client = cast.client("admin")
    assert "Nothing was refused" in client.get(cast.url(PAGE)).content.decode()
    for _ in range(3):
        street.ask("+34612345678")
    page = client.get(cast.url(PAGE)).content.decode()
    assert "Countries that are not chosen" in page
    assert "about 3" in page


def test_settings_lead_to_it(cast: Cast) -> None:
    assert "Verification limits" in cast.client("owner").get(cast.url("settings/")).content.decode()
    assert "Verification limits" not in cast.client("agent").get(cast.url("")).content.decode()
