"""Platform SMS in the outbox: one row like others, paid with credits, carried by a connection nobody may see."""

import json
import uuid
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.encryption import Secret
from integrations.organizations.models import Organization
from integrations.platform_sms.ledger import balance_of
from integrations.platform_sms.models import CreditEntry, PlatformDestination
from integrations.platform_sms.policies import change_policy, signature_of
from integrations.sandbox.credentials import SandboxCredentials
from integrations.twilio.errors import TwilioRefused
from messaging.consent.models import OptOut
from messaging.retention.models import TwilioRemoval
from messaging.sending import claim as claiming
from messaging.sending import outbox, reconcile, sweeps
from messaging.sending.claim import Claim, Claimed, claim_batch
from messaging.sending.dispatch import load_dispatch
from messaging.sending.engine import Engine
from messaging.sending.limits import limits_of
from messaging.sending.models import Message
from messaging.sending.outbox import Draft, EnqueueProblem, enqueue
from messaging.sending.outcomes import Outcome, settle
from messaging.sending.policy import change_policy as change_limits
from messaging.sending.reasons import reason_of
from messaging.sending.reconcile import _settle as settle_by_list
from messaging.sending.statuses import Status
from messaging.sending.transitions import Move, advance_one
from tests.conftest import Cast
from tests.factories import ConnectionFactory
from tests.integrations.platform_sms.conftest import Receiver
from tests.plugins.sandbox import SandboxServer

from .conftest import settled
from .platform import CARRIER_NAME, SHANGHAI, adds_up, give_credits, kinds, offer_platform_sms

pytestmark = pytest.mark.django_db
BERLIN = "+4915112345678"
SENDER = "Platform SMS"


@pytest.fixture
def carrier(cast: Cast) -> Connection:
    return offer_platform_sms(cast)


@pytest.fixture
def paid(cast: Cast, carrier: Connection) -> Organization:
    give_credits(cast.organization)
    return cast.organization


def sent(organization: Organization, **fields: Any) -> Message:
    return enqueue(organization, draft=Draft(**{"to": SHANGHAI, "body": "Your parcel is here.", **fields}))


def claim(carrier: Connection, *, limit: int = 100) -> Claim:
    # Within the one transaction of a test PostgreSQL's now() stands still, before everything that it made.
    Message.objects.filter(status="queued").update(due_at=F("due_at") - timedelta(minutes=1))
    return claim_batch(carrier.pk, sender=SENDER, lane=0, limit=limit, limits=limits_of(carrier, sender=SENDER))


def move(message: Message, to: Status, **more: Any) -> bool:
    return advance_one(Move(message_id=message.pk, to=to, source="engine", **more))


# ---- taken in


def test_message_to_mainland_china_is_signed_and_its_price_set_aside(paid: Organization, carrier: Connection) -> None:
    message = sent(paid)
    assert (message.route, message.connection, message.sender) == ("platform", carrier, SENDER)
    assert (message.status, message.price, message.price_unit) == ("queued", Decimal(1), "credits")
    assert message.body == "【Acme Logistics】Your parcel is here."
    assert (message.encoding, message.segments) == ("UCS-2", 1), "the signature counts"
    assert balance_of(paid) == Decimal(9)
    assert kinds(paid) == ["reserve"]


def test_own_connection_changes_nothing_for_mainland_china(paid: Organization) -> None:
    ConnectionFactory(organization=paid)
    assert sent(paid, sender="MyName").sender == SENDER, "a sender of one's own account cannot be used"
    assert sent(paid, to=BERLIN).route == "twilio"
    assert balance_of(paid) == Decimal(9)


def test_own_signature_stands_once(paid: Organization, cast: Cast) -> None:
    change_policy(paid, signature="Acme", warn_below=Decimal(5), actor=cast.admin)
    assert sent(paid, body="Hello").body == "【Acme】Hello"
    assert sent(paid, body="【Acme】Hello").body == "【Acme】Hello"


def test_signature_of_a_long_name_is_cut_and_has_no_brackets_of_its_own(cast: Cast) -> None:
    cast.organization.name = "【The】 Very Long Name of a Company"
    assert signature_of(cast.organization) == "【The Very Long Name o】"


def test_text_that_is_too_long_with_its_signature_is_refused(paid: Organization) -> None:
    with pytest.raises(EnqueueProblem) as caught:
        sent(paid, body="a" * 1600)
    assert (caught.value.code, caught.value.field) == ("too_long", "body")


def test_code_abroad_costs_its_price_where_twilio_is_not_connected(paid: Organization) -> None:
    first = sent(paid, to=BERLIN, purpose="verification", body="Your code is 123456")
    assert (first.route, first.price, first.body) == ("platform", Decimal("2.3"), "Your code is 123456")
    sent(paid, to=BERLIN, purpose="verification", body="Your code is 123456")
    assert balance_of(paid) == Decimal("5.4"), "a code that is sent again costs again"
    with pytest.raises(EnqueueProblem, match="Connect Twilio"):
        sent(paid, to=BERLIN)


def test_price_of_the_operator_goes_before_that_of_the_settings(paid: Organization) -> None:
    PlatformDestination.objects.filter(destination="domestic").update(price=Decimal("0.5"))
    assert sent(paid).price == Decimal("0.5")
    PlatformDestination.objects.filter(destination="domestic").update(price=0)
    assert sent(paid).price == 0
    assert kinds(paid) == ["reserve"], "what costs nothing is not in the ledger"


def test_too_few_credits_refuse_and_store_nothing(cast: Cast, carrier: Connection) -> None:
    give_credits(cast.organization, "0.5")
    with pytest.raises(EnqueueProblem) as caught:
        sent(cast.organization)
    assert (caught.value.code, caught.value.is_refusal) == ("insufficient_credits", True)
    assert "0.5 are left" in caught.value.detail
    assert not Message.objects.exists()
    assert balance_of(cast.organization) == Decimal("0.5")


def test_credits_of_another_organization_are_not_touched(cast: Cast, carrier: Connection) -> None:
    give_credits(cast.other)
    with pytest.raises(EnqueueProblem):
        sent(cast.organization)
    assert balance_of(cast.other) == Decimal(10)


def test_blocked_message_costs_nothing(paid: Organization) -> None:
    OptOut.objects.create(organization=paid, phone=SHANGHAI, source="keyword")
    message = sent(paid)
    assert (message.status, message.price) == ("blocked", 0)
    assert balance_of(paid) == Decimal(10)


def test_scheduled_message_is_paid_when_it_is_taken_and_canceled_it_comes_back(paid: Organization, cast: Cast) -> None:
    message = sent(paid, send_at=timezone.now() + timedelta(days=1))
    assert (message.status, balance_of(paid)) == ("scheduled", Decimal(9))
    assert outbox.cancel(message, actor=cast.owner)
    message.refresh_from_db()
    assert (message.price, balance_of(paid), kinds(paid)) == (0, Decimal(10), ["reserve", "refund"])


def test_carrier_out_of_order_refuses_in_words_of_the_organization(paid: Organization, carrier: Connection) -> None:
    Connection.objects.filter(pk=carrier.pk).update(status="broken", broken_code=20003)
    with pytest.raises(EnqueueProblem) as caught:
        sent(paid)
    assert caught.value.code == "platform_unavailable"
    assert CARRIER_NAME not in caught.value.detail


# ---- settled


@pytest.mark.parametrize(
    ("steps", "entries", "balance", "price"),
    [
        (["sending", "accepted"], ["reserve"], 9, 1),
        (["sending", "accepted", "sent"], ["reserve", "settle"], 9, 1),
        (["sending", "accepted", "sent", "delivered", "read"], ["reserve", "settle"], 9, 1),
        (["sending", "sent", "undelivered"], ["reserve", "settle"], 9, 1),
        (["sending", "undelivered"], ["reserve", "settle"], 9, 1),
        (["sending", "accepted", "failed"], ["reserve", "refund"], 10, 0),
        (["sending", "failed"], ["reserve", "refund"], 10, 0),
        (["sending", "unknown", "queued"], ["reserve"], 9, 1),
        (["sending", "unknown", "sent"], ["reserve", "settle"], 9, 1),
        (["canceled"], ["reserve", "refund"], 10, 0),
        (["blocked"], ["reserve", "refund"], 10, 0),
    ],
)
def test_credits_follow_the_message(
    paid: Organization, carrier: Connection, steps: list[str], entries: list[str], balance: int, price: int
) -> None:
    message = sent(paid)
    for step in steps:
        if step == "sending":
            assert len(claim(carrier).messages) == 1
        else:
            assert move(message, Status(step), price="0.08", price_unit="USD"), step
    message.refresh_from_db()
    assert (kinds(paid), balance_of(paid)) == (entries, Decimal(balance))
    assert (message.price, message.price_unit) == (price, "credits"), "not what Twilio takes from the operator"
    assert adds_up(paid)


def test_bulk_of_several_organizations_settles_each_account(cast: Cast, carrier: Connection) -> None:
    messages = []
    for organization in (cast.organization, cast.other):
        give_credits(organization)
        messages += [sent(organization), sent(organization)]
    claimed = {one.id: one for _ in range(2) for one in claim(carrier).messages}
    assert len(claimed) == 4
    refused = TwilioRefused("no", code=21211, http_status=400)
    settle([Outcome(claimed=one, connection=carrier, answer=refused) for one in claimed.values()])
    assert [balance_of(one) for one in (cast.organization, cast.other)] == [Decimal(10)] * 2
    assert set(Message.objects.values_list("status", "error_code", "price")) == {("failed", 21211, Decimal(0))}


def test_silent_message_is_spent_after_three_days(paid: Organization, carrier: Connection) -> None:
    message = sent(paid)
    claim(carrier)
    move(message, Status.ACCEPTED)
    assert sweeps.settle_silent() == 0
    Message.objects.update(handed_over_at=timezone.now() - timedelta(days=4))
    assert sweeps.settle_silent() == 1
    assert kinds(paid) == ["reserve", "settle"]


# ---- claimed


def test_stop_after_queueing_blocks_and_gives_back(paid: Organization, carrier: Connection) -> None:
    message = sent(paid)
    OptOut.objects.create(organization=paid, phone=SHANGHAI, source="keyword")
    assert claim(carrier).messages == []
    message.refresh_from_db()
    assert (message.status, message.price, balance_of(paid)) == ("blocked", 0, Decimal(10))


def test_expired_message_gives_its_credits_back(paid: Organization, carrier: Connection) -> None:
    message = sent(paid)
    Message.objects.update(valid_until=timezone.now() - timedelta(seconds=1))
    assert claim(carrier).messages == []
    message.refresh_from_db()
    assert (message.status, message.error_reason, balance_of(paid)) == ("failed", "expired", Decimal(10))


def test_claim_takes_one_organization_at_a_time_whoever_waited_longest(cast: Cast, carrier: Connection) -> None:
    for organization in (cast.organization, cast.other):
        give_credits(organization)
    theirs, ours = sent(cast.other), sent(cast.organization)
    first, second, third = claim(carrier), claim(carrier), claim(carrier)
    assert ([one.id for one in first.messages], first.has_more) == ([theirs.pk], True)
    assert ([one.id for one in second.messages], second.has_more) == ([ours.pk], True)
    assert (third.messages, third.has_more) == ([], False)


def test_organizations_take_turns_so_that_a_broadcast_holds_nobody_up(cast: Cast, carrier: Connection) -> None:
    for organization in (cast.organization, cast.other):
        give_credits(organization, "50")
    crowd = [sent(cast.organization).pk for _ in range(9)]
    single = sent(cast.other)
    turns = [claim(carrier, limit=3).messages for _ in range(4)]
    assert [one.id for one in turns[0]] == crowd[:3], "whoever has waited longest begins"
    assert [one.id for one in turns[1]] == [single.pk]
    assert [one.id for turn in turns[2:] for one in turn] == crowd[3:]
    late = sent(cast.other)
    sent(cast.organization)
    turns = [claim(carrier, limit=3).messages for _ in range(2)]
    assert [one.id for one in turns[0]] == [late.pk], "its turn was longer ago"


def test_what_another_process_holds_keeps_nobody_from_a_turn(
    cast: Cast, carrier: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_credits(cast.other)
    goes = sent(cast.other)
    held = cast.organization.pk  # everything of it is locked elsewhere: a claim finds nothing
    monkeypatch.setattr(claiming, "_tenants_by_turn", lambda connection_id, lane: [held, goes.organization_id])
    claiming._served[carrier.pk, 0] = {}
    assert [one.id for one in claim(carrier).messages] == [goes.pk]


def test_limits_are_those_of_whoever_sends_not_of_the_carrier(cast: Cast, carrier: Connection) -> None:
    change_limits(carrier.organization, values={"daily_cap": 1}, actor=cast.operator)
    change_limits(cast.other, values={"daily_cap": 1}, actor=cast.stranger)
    for organization in (cast.organization, cast.other):
        give_credits(organization)
        for _ in range(3):
            sent(organization)
    taken = [one.id for _ in range(4) for one in claim(carrier).messages]
    by = Message.objects.filter(pk__in=taken).values_list("organization__slug", flat=True)
    assert sorted(by) == ["acme"] * 3 + ["borealis"]
    assert Message.objects.filter(error_reason="daily_cap", organization=cast.other).count() == 2


def test_suspended_organization_sends_nothing_while_others_go_on(cast: Cast, carrier: Connection) -> None:
    for organization in (cast.organization, cast.other):
        give_credits(organization)
    held, goes = sent(cast.organization), sent(cast.other)
    Organization.objects.filter(pk=cast.organization.pk).update(status="suspended")
    assert [one.id for one in claim(carrier).messages] == [goes.pk]
    assert claim(carrier).messages == []
    Message.objects.filter(pk=held.pk).update(valid_until=timezone.now() - timedelta(seconds=1))
    assert sweeps.expire_waiting() == 1
    held.refresh_from_db()
    assert (held.status, held.error_reason, balance_of(cast.organization)) == ("failed", "expired", Decimal(10))


def test_message_leaves_from_the_carriers_own_sender(paid: Organization, carrier: Connection) -> None:
    sent(paid)
    dispatch = load_dispatch(carrier.pk)
    assert dispatch is not None
    outgoing = dispatch.message_for(claim(carrier).messages[0])
    assert (outgoing.messaging_service_sid, outgoing.from_) == (carrier.messaging_service_sid, "")
    assert carrier.hook_key in outgoing.status_callback or not outgoing.status_callback


# ---- told apart


def test_trouble_of_the_carriers_account_is_the_operators_alone(paid: Organization, carrier: Connection) -> None:
    message = sent(paid)
    (claimed,) = claim(carrier).messages
    settle([Outcome(claimed=claimed, connection=carrier, answer=TwilioRefused("no", code=20003, http_status=401))])
    message.refresh_from_db()
    carrier.refresh_from_db()
    assert (message.status, message.error_code, message.error_reason) == ("queued", None, "platform_unavailable")
    assert carrier.status == "broken"
    assert message.events.filter(error_code__isnull=False).count() == 0
    Message.objects.update(valid_until=timezone.now() - timedelta(seconds=1))
    assert sweeps.expire_waiting() == 1
    message.refresh_from_db()
    assert (message.status, message.error_code, message.error_reason) == ("failed", None, "platform_unavailable")
    assert balance_of(paid) == Decimal(10)


def test_code_about_the_carriers_sender_is_told_in_other_words(paid: Organization, carrier: Connection) -> None:
    message = sent(paid)
    claim(carrier)
    move(message, Status.UNDELIVERED, error_code=30034)
    message.refresh_from_db()
    reason = reason_of(message)
    assert reason is not None
    assert reason.code == "platform_unavailable"


def test_same_text_of_another_organization_is_never_taken_for_ours(cast: Cast, carrier: Connection) -> None:
    """Two organizations write the same to one number over one account: what Twilio lists may be either's."""
    for organization in (cast.organization, cast.other):
        give_credits(organization)
    ours, theirs = sent(cast.organization, body="【X】Hi"), sent(cast.other, body="【X】Hi")
    for message in (ours, theirs):
        (claimed,) = claim(carrier).messages
        settle([Outcome(claimed=claimed, connection=carrier, answer=None)])
        message.refresh_from_db()
        assert message.status == "unknown"
    same = SimpleNamespace(sid="SM" + "1" * 32, direction="outbound-api", body=ours.body, date_created=None)
    Message.objects.update(body="Hi")
    ours.refresh_from_db()
    same.body = "Hi"
    settle_by_list(ours, [same], account_sid=carrier.account_sid)  # type: ignore[list-item]
    ours.refresh_from_db()
    assert ours.status == "unknown", "not guessed"


def test_nothing_of_the_carrier_stands_on_the_pages_of_an_organization(
    cast: Cast, paid: Organization, carrier: Connection
) -> None:
    message = sent(paid)
    sid = f"SM{uuid.uuid4().hex}"
    claim(carrier)
    move(message, Status.SENT, sid=sid)
    client = cast.client("owner")
    admin = f"admin/messaging/message/{message.pk}/change/"
    pages = [f"messages/{message.pk}/", "messages/", "", admin, "admin/messaging/message/", f"contacts/?q={SHANGHAI}"]
    for path in pages:
        page = client.get(cast.url(path)).content.decode()
        for secret in (CARRIER_NAME, sid, carrier.messaging_service_sid, carrier.account_sid, str(carrier.pk)):
            assert secret not in page, path
    page = client.get(cast.url(f"messages/{message.pk}/")).content.decode()
    assert "Platform SMS" in page
    assert "<span>1 credit</span>" in page
    found = client.post(cast.url("messages/"), {"q": sid}, follow=True).content.decode()
    assert str(message.pk) not in found, "whoever knows a SID learns nothing"
    assert cast.client("stranger").get(cast.url(f"messages/{message.pk}/")).status_code == 404


def test_message_of_an_organization_is_no_message_of_the_operators(
    cast: Cast, paid: Organization, carrier: Connection
) -> None:
    message = sent(paid)
    operators = cast.client("operator")
    assert operators.get(cast.url(f"messages/{message.pk}/", carrier.organization)).status_code == 404
    assert str(message.pk) not in operators.get(cast.url("messages/", carrier.organization)).content.decode()


def test_preview_says_that_it_goes_by_platform_sms_and_what_it_takes(cast: Cast, paid: Organization) -> None:
    response = cast.client("agent").post(
        cast.url("messages/send/preview/"), {"to": SHANGHAI, "body": "Hello", "purpose": "transactional"}
    )
    page = response.content.decode()
    assert "by platform SMS, 1 credit" in page
    assert "【Acme Logistics】Hello" in page
    assert CARRIER_NAME not in page


def test_too_few_credits_are_said_before_the_button_and_after_it(cast: Cast, carrier: Connection) -> None:
    fields = {"to": SHANGHAI, "body": "Hello", "purpose": "transactional", "nonce": "n"}
    client = cast.client("owner")
    assert "Too few credits: 0 are left" in client.post(cast.url("messages/send/preview/"), fields).content.decode()
    response = client.post(cast.url("messages/send/"), fields)
    page = response.content.decode()
    assert response.status_code == 422
    assert "Ask your operator to top them up." in page
    assert "See the credits" in page
    assert "Open System services" not in page
    assert not Message.objects.exists()


def test_what_the_operators_account_has_to_forget_is_not_among_the_records(
    cast: Cast, paid: Organization, carrier: Connection
) -> None:
    message, sid = sent(paid), f"SM{uuid.uuid4().hex}"
    TwilioRemoval.objects.create(organization=paid, connection=carrier, message=message, sid=sid, what="text")
    page = cast.client("owner").get(cast.url("admin/messaging/twilioremoval/")).content.decode()
    assert sid not in page


def test_ledger_names_no_message_twice_whatever_is_repeated(paid: Organization, carrier: Connection) -> None:
    message = sent(paid)
    claim(carrier)
    for _ in range(3):
        move(message, Status.SENT)
        move(message, Status.DELIVERED)
        move(message, Status.FAILED)
    assert kinds(paid) == ["reserve", "settle"]
    assert CreditEntry.objects.filter(message_id=message.pk).count() == 2


def test_lost_claim_settles_nothing(paid: Organization, carrier: Connection) -> None:
    message = sent(paid)
    (claimed,) = claim(carrier).messages
    lost = Claimed(claimed.id, uuid.uuid4(), claimed.phone, claimed.sender, claimed.body, 1, 60.0)
    settle([Outcome(claimed=lost, connection=carrier, answer=TwilioRefused("no", code=21211, http_status=400))])
    message.refresh_from_db()
    assert (message.status, kinds(paid)) == ("sending", ["reserve"])


# ---- posted


@pytest.mark.django_db(transaction=True)
def test_webhook_carries_once_and_a_worker_that_died_posts_the_same_id_again(
    cast: Cast, engine: Engine, receiver: Receiver
) -> None:
    offer_platform_sms(
        cast,
        mode="webhook",
        webhook_url=receiver.url,
        is_default=False,
        messaging_service_sid="",
        auth_token=Secret.of("hgw_secret"),
    )
    give_credits(cast.organization)
    first, lost = sent(cast.organization), sent(cast.organization, to="+8613912345679")
    carrier = first.connection
    assert carrier is not None
    Message.objects.filter(pk=lost.pk).update(
        status="unknown", attempts=1, next_check_at=timezone.now() - timedelta(seconds=1)
    )
    engine.wake(carrier.pk, lane=0)
    settled(first, "sent")
    assert (first.provider_sid, first.next_check_at, first.attempts) == ("", None, 1)
    assert reconcile.reconcile_due() == 1
    engine.wake(carrier.pk, lane=0)
    settled(lost, "sent")
    bodies = [json.loads(body) for _, body in receiver.posts]
    assert [(body["id"], body["to"]) for body in bodies] == [(str(one.pk), one.phone) for one in (first, lost)]
    assert kinds(cast.organization) == ["reserve", "reserve", "settle", "settle"]


@pytest.mark.django_db(transaction=True)
def test_sandbox_carries_and_its_receipts_settle_the_credits(
    cast: Cast, engine: Engine, account: SandboxCredentials, sandbox: SandboxServer
) -> None:
    carrier = offer_platform_sms(
        cast,
        mode="sandbox",
        account_sid=account.account_sid,
        auth_token=account.auth_token,
        messaging_service_sid=account.messaging_service_sid,
    )
    give_credits(cast.organization)
    message = sent(cast.organization)
    engine.wake(carrier.pk, lane=0)
    settled(message, "accepted", "sent", "delivered")
    (listed,) = sandbox.control.messages(account_sid=account.account_sid, to=SHANGHAI)
    assert listed["sid"] == message.provider_sid
    assert adds_up(cast.organization)
