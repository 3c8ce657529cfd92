"""The signing secret is shown once, kept encrypted, and its former one signs along for a day."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from integrations.organizations.models import AuditEntry
from messaging.outgoing.keeping import make_secret, secrets_of
from messaging.outgoing.models import OutgoingSecret
from tests.conftest import Cast

pytestmark = pytest.mark.django_db


def test_a_secret_is_made_changed_and_told_of(cast: Cast) -> None:
    assert secrets_of(cast.organization) == ()
    first = make_secret(cast.organization, actor=cast.admin)
    second = make_secret(cast.organization, actor=cast.admin)
    assert first != second and secrets_of(cast.organization) == (second, first)
    assert secrets_of(cast.other) == ()
    OutgoingSecret.objects.update(former_until=Now() - timedelta(seconds=1))
    assert secrets_of(cast.organization) == (second,)
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == [
        "outgoing_secret.made", "outgoing_secret.changed",
    ]  # fmt: skip
    assert second not in str(list(AuditEntry.objects.values()))


def test_the_page_shows_it_once(cast: Cast) -> None:
    url = cast.url("settings/outgoing/")
    assert b"Make the signing secret" in cast.client("owner").get(url).content
    made = cast.client("owner").post(url)
    (secret,) = secrets_of(cast.organization)
    assert secret.encode() in made.content
    assert secret.encode() not in cast.client("owner").get(url).content
    assert cast.client("viewer").get(url).status_code == 403
    assert cast.client("stranger").get(url).status_code == 404
