"""The messages that a person sees inside, and those that are for somebody else."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from messaging.sending.models import Message
from portal.accounts.models import Portal, PortalSending, PortalUser
from portal.accounts.received import every_message_of, messages_of
from tests.conftest import Cast
from tests.factories import MessageFactory

from .insiders import NEW_PHONE, PHONE, person_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(portal: Portal) -> PortalUser:
    return person_of(portal)


def text(cast: Cast, body: str, **more: Any) -> Message:
    more = {"phone": PHONE, "status": "delivered", "organization": cast.organization, "connection": None, **more}
    return MessageFactory(body=body, **more)


def shown(user: PortalUser) -> list[str]:
    return [message.body for message in messages_of(user).messages]


def test_newest_first_without_codes_replies_and_what_never_left(user: PortalUser, cast: Cast) -> None:
    text(cast, "Your slot is 9 to 11.")
    text(cast, "Your order is ready.", status="sent")
    text(cast, "Your code is ••••••", purpose="verification")
    text(cast, "Thanks!", direction="inbound", status="received")
    for status in ("queued", "scheduled", "blocked", "failed", "canceled", "sending"):
        text(cast, status, status=status)
    assert shown(user) == ["Your order is ready.", "Your slot is 9 to 11."]


def test_only_of_this_organization_and_to_this_number(user: PortalUser, cast: Cast) -> None:
    text(cast, "Ours")
    text(cast, "Of a stranger", organization=cast.other)
    text(cast, "To a colleague", phone=NEW_PHONE)
    assert shown(user) == ["Ours"]


def test_what_came_before_the_number_was_theirs_is_left_out(user: PortalUser, cast: Cast) -> None:
    long_ago = timezone.now() - timedelta(days=60)
    text(cast, "For who had the number before", created_at=long_ago)
    assert shown(user) == []
    PortalUser.objects.update(number_since=timezone.now() - timedelta(days=2))
    user.refresh_from_db()
    text(cast, "For who had it last week", created_at=timezone.now() - timedelta(days=7))
    text(cast, "Of yesterday", created_at=timezone.now() - timedelta(days=1))
    assert shown(user) == ["Of yesterday"]


def test_what_the_portal_sent_to_a_former_number_stays(user: PortalUser, cast: Cast) -> None:
    welcome = text(cast, "Welcome", phone=NEW_PHONE)
    PortalSending.objects.create(portal=user.portal, user=user, kind="approved", message=welcome)
    assert shown(user) == ["Welcome"]


def test_page_by_page_in_a_few_statements(user: PortalUser, cast: Cast, django_assert_num_queries: Any) -> None:
    for number in range(5):
        text(cast, str(number))
    with django_assert_num_queries(2):
        first = messages_of(user, size=2)
    assert [row.body for row in first.messages] == ["4", "3"]
    second = messages_of(user, after=first.next, size=2)
    assert [row.body for row in second.messages] == ["2", "1"]
    assert messages_of(user, after=second.next, size=2).next is None
    assert len(list(every_message_of(user))) == 5
