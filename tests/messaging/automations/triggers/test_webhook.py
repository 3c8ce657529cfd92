"""Webhooks of others: proved, read, answered at once; each call counts once, and none is lost without a word."""

import json
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db.models.functions import Now
from django.http import HttpResponse
from django.test import Client

from integrations.body_signatures import sign
from integrations.organizations.models import AuditEntry, Organization
from messaging.api import rates
from messaging.automations import hook_calls, hooks
from messaging.automations.display import places_of
from messaging.automations.fields import fill_in
from messaging.automations.flow import Flow, read
from messaging.automations.models import Automation, AutomationVersion, Run
from messaging.automations.publishing import archive, create, pause, resume, save_draft
from messaging.automations.registry import trigger_of
from messaging.automations.scopes import scope_at, values_of
from messaging.automations.trigger_erasing import forget_samples
from messaging.automations.trigger_models import AutomationHook, HookCall, HookRefusal, HookSample, SeenEvent
from messaging.automations.triggers.webhook import WebhookTrigger
from messaging.contacts.erasure.erasers import Person
from messaging.contacts.models import Contact
from tests.conftest import Cast
from tests.factories import ContactFactory
from tests.messaging.api.conftest import problem_of
from tests.messaging.automations.conftest import carry_on, spec

from .conftest import Listening, wrong

pytestmark = pytest.mark.django_db

ORDER = {"order": {"id": 7, "Ship-To": "Berlin"}, "phone": "+49 30 123456"}


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "_client", None)
    monkeypatch.setattr(rates, "_kept", {})
    monkeypatch.setattr(hooks, "_budgets", {})


class Door:
    """An automation's address with its secret."""

    def __init__(self, automation: Automation, cast: Cast) -> None:
        self.automation = automation
        self.secret = hooks.make_secret(automation, actor=cast.admin)
        self.hook = hooks.hook_of(automation)

    def post(
        self, body: Any = None, *, secret: str | None = None, raw: bytes | None = None, **headers: str
    ) -> HttpResponse:
        data = raw if raw is not None else json.dumps(ORDER if body is None else body).encode()
        if secret != "":
            headers.setdefault("Authorization", f"Bearer {secret or self.secret}")
        kind = headers.pop("Content-Type", "application/json")
        return Client(raise_request_exception=False).generic(
            "POST", f"/hooks/automations/{self.hook.key}", data, content_type=kind, headers=headers
        )

    @property
    def last_refusal(self) -> tuple[int, str]:
        row = HookRefusal.objects.filter(hook=self.hook).order_by("-id")[0]
        return row.status, row.code


MakeDoor = Callable[..., Door]


@pytest.fixture
def door(cast: Cast, listening: Listening) -> MakeDoor:
    """Publish a webhook: `door(phone_path="phone")`."""

    def make(*, by: str = "admin", trigger: str = "webhook", **settings: Any) -> Door:
        return Door(listening(trigger, by=by, **settings), cast)

    return make


def runs() -> list[Run]:
    return list(Run.objects.order_by("id"))


def test_a_call_begins_a_run_with_its_fields_and_contact(cast: Cast, door: MakeDoor) -> None:
    contact = ContactFactory(organization=cast.organization, phone="+4930123456")
    ContactFactory(organization=cast.other, phone="+4930123456")
    response = door(phone_path="phone").post()
    (run,) = runs()
    assert (response.status_code, response.json()) == (202, {"status": "started", "runs": [str(run.pk)]})
    assert run.data["trigger"] == {"order": {"id": 7, "Ship_To": "Berlin"}, "phone": "+49 30 123456"}
    assert (run.contact, run.phone, run.status) == (contact, "+4930123456", "waiting")
    assert response["Cache-Control"] == "no-store"


def test_a_form_is_read_too(door: MakeDoor) -> None:
    one = door()
    raw = b"From=%2B4930123456&Item=a&Item=b&Note=%C3%A4"
    response = one.post(raw=raw, **{"Content-Type": "application/x-www-form-urlencoded"})
    assert response.status_code == 202
    assert runs()[0].data["trigger"] == {"From": "+4930123456", "Item": {"_0": "a", "_1": "b"}, "Note": "ä"}
    problem_of(one.post(raw=b"x=%ff", **{"Content-Type": "application/x-www-form-urlencoded"}), 400, "bad_request")
    problem_of(one.post(raw=b"x", **{"Content-Type": "multipart/form-data; boundary=x"}), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"{not json", 400, "malformed_json"), (b"", 400, "malformed_json"), (b"\xff\xfe", 400, "malformed_json"),
        (b"[1, 2]", 422, "validation_failed"), (b'"text"', 422, "validation_failed"), (b"{}", 422, "validation_failed"),
        (b'{"order": {"id": ""}}', 422, "validation_failed"), (b'{"a": 1, "a": 2}', 400, "malformed_json"),
        (b'{"a": "' + b"x" * 262_144 + b'"}', 413, "body_too_large"), (b"[" * 5_000_000, 413, "body_too_large"),
        (b'{"a":' * 100 + b"1" + b"}" * 100, 400, "malformed_json"), (b'{"a": NaN}', 400, "malformed_json"),
        (b'{"a": "\\u0000"}', 422, "validation_failed"),
    ],
    ids=range(13),
)  # fmt: skip
def test_bad_bodies_are_refused_in_words_and_the_refusal_is_kept(
    door: MakeDoor, raw: bytes, status: int, code: str
) -> None:
    one = door(required="order.id")
    problem = problem_of(one.post(raw=raw), status, code)
    if raw in (b"{}", b'{"order": {"id": ""}}'):
        assert problem["errors"][0]["field"] == "order.id" and "order.id" in problem["detail"]
    assert not runs() and one.last_refusal == (status, code)
    one.hook.refresh_from_db()
    assert one.hook.refused_count == 1


def test_who_brings_no_secret_or_another_one_is_refused(cast: Cast, door: MakeDoor, listening: Listening) -> None:
    one, theirs = door(), door(by="stranger")
    assert problem_of(one.post(secret=""), 401, "missing_signature")
    assert one.last_refusal == (401, "missing_signature")
    for secret in ("wrong", theirs.secret, one.secret.upper(), one.secret + "x"):
        problem_of(one.post(secret=secret), 403, "bad_signature")
    bare = Client().post(
        f"/hooks/automations/{hooks.hook_of(listening('webhook')).key}", headers={"X-Heliograph-Secret": "x"}
    )
    problem_of(bare, 403, "bad_signature")
    for refusal in HookRefusal.objects.all():
        assert one.secret not in refusal.detail
    assert one.post(secret="", **{"X-Heliograph-Secret": one.secret}).status_code == 202
    problem_of(Client().post("/hooks/automations/nobody"), 404, "not_found")
    assert problem_of(Client().get(f"/hooks/automations/{one.hook.key}"), 405, "method_not_allowed")


def test_a_signature_covers_body_and_time(door: MakeDoor) -> None:
    one = door(auth="signature")
    body, now = json.dumps(ORDER).encode(), int(time.time())

    def post(header: str, raw: bytes = body) -> HttpResponse:
        return one.post(raw=raw, secret="", **({"X-Heliograph-Signature": header} if header else {}))

    problem_of(post(""), 401, "missing_signature")
    problem_of(one.post(raw=body), 401, "missing_signature")  # the bare secret is not what is asked for
    for header in ("nonsense", "t=x,v1=y", f"t={now}", sign(body, secrets=["other"], at=now), f"t={now},v1={'0' * 64}"):
        problem_of(post(header), 403, "bad_signature")
    problem_of(post(sign(body, secrets=[one.secret], at=now), raw=body + b" "), 403, "bad_signature")
    for off in (-301, 310):
        problem = problem_of(post(sign(body, secrets=[one.secret], at=now + off)), 403, "bad_signature")
        assert "5 minutes" in problem["detail"]
    assert post(sign(body, secrets=[one.secret], at=now - 200)).status_code == 202
    assert len(runs()) == 1


def test_a_signed_call_that_is_sent_again_counts_once_under_whatever_key(door: MakeDoor) -> None:
    one = door(auth="signature", replay_seconds=0)
    body = json.dumps(ORDER).encode()
    header = sign(body, secrets=[one.secret], at=int(time.time()))

    def post(header: str, **more: str) -> HttpResponse:
        return one.post(raw=body, secret="", **{"X-Heliograph-Signature": header, **more})

    first = post(header, **{"Idempotency-Key": "order-7"})
    for again in (post(header), post(header, **{"Idempotency-Key": "order-8"}), post(f"{header},v1=0")):
        assert again.status_code == 200 and again.json()["runs"] == first.json()["runs"]
    later = sign(body, secrets=[one.secret], at=int(time.time()) + 1)
    assert post(later).status_code == 202 and len(runs()) == 2


def test_a_rotated_secret_is_believed_for_a_day_and_only_one_before(cast: Cast, door: MakeDoor) -> None:
    one = door(replay_seconds=0)
    first, second = one.secret, hooks.make_secret(one.automation, actor=cast.owner)
    assert [one.post(secret=secret).status_code for secret in (first, second)] == [202, 202]
    AutomationHook.objects.update(former_until=Now() - timedelta(seconds=1))
    assert [one.post(secret=secret).status_code for secret in (first, second)] == [403, 202]
    hooks.make_secret(one.automation, actor=cast.owner)
    assert [one.post(secret=secret).status_code for secret in (first, second)] == [403, 202]
    assert AuditEntry.objects.filter(action="automation.secret_made").count() == 3
    assert second not in str(list(AuditEntry.objects.values_list("changes", flat=True)))


def test_what_is_not_live_is_refused(cast: Cast, door: MakeDoor) -> None:
    one = door()
    pause(one.automation, actor=cast.admin)
    assert "paused" in problem_of(one.post(), 409, "automation_not_live")["detail"]
    archive(one.automation, actor=cast.admin)
    problem_of(one.post(), 409, "automation_not_live")
    other = door()
    Organization.objects.filter(pk=cast.organization.pk).update(status="suspended")
    problem_of(other.post(), 403, "organization_suspended")
    assert not runs()


def test_a_webhook_that_became_something_else_is_refused(door: MakeDoor, listening: Listening, cast: Cast) -> None:
    one = Door(listening("contact_created"), cast)
    problem_of(one.post(), 409, "automation_not_live")


def test_too_many_calls_are_told_to_wait(door: MakeDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hook_calls, "PER_SECOND", 2)
    one = door(replay_seconds=0)
    answers = [one.post() for _ in range(12)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused and refused[0]["Retry-After"] == "1" and len(runs()) == 12 - len(refused)
    problem_of(refused[0], 429, "rate_limited")


def test_the_same_call_again_is_the_same_run(door: MakeDoor) -> None:
    one = door()
    first, again = one.post(), one.post()
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == {"status": "repeated", "runs": first.json()["runs"]}
    HookCall.objects.update(at=Now() - timedelta(minutes=10))
    assert one.post().json()["runs"] != first.json()["runs"]
    assert len(runs()) == 2


def test_an_idempotency_key_counts_for_a_day_whatever_the_body(door: MakeDoor) -> None:
    one = door(replay_seconds=0)
    first = one.post(**{"Idempotency-Key": "order-7"})
    again = one.post({"other": 1}, **{"Idempotency-Key": "order-7"})
    assert again.json()["runs"] == first.json()["runs"] and again.status_code == 200
    assert one.post(**{"Idempotency-Key": "order-8"}).status_code == 202
    assert [one.post().status_code for _ in range(2)] == [202, 202]  # no window: each call counts
    problem_of(one.post(**{"Idempotency-Key": "x" * 300}), 422, "validation_failed")
    HookCall.objects.update(at=Now() - timedelta(hours=25))
    assert one.post(**{"Idempotency-Key": "order-7"}).status_code == 202
    assert len(runs()) == 5


def test_a_call_at_the_moment_of_a_pause_counts_when_it_comes_again(
    door: MakeDoor, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = door()
    check = hook_calls._check_required

    def paused_meanwhile(*given: Any) -> None:
        pause(one.automation, actor=cast.admin)
        check(*given)

    with monkeypatch.context() as patch:
        patch.setattr(hook_calls, "_check_required", paused_meanwhile)
        problem_of(one.post(**{"Idempotency-Key": "order-7"}), 409, "automation_not_live")
    resume(one.automation, actor=cast.admin)
    assert one.post(**{"Idempotency-Key": "order-7"}).json()["status"] == "started"
    assert len(runs()) == 1


def test_an_automation_that_cannot_be_read_says_so(door: MakeDoor) -> None:
    one = door()
    AutomationVersion.objects.update(flow={"nodes": [{"id": "x"}]})
    problem_of(one.post(), 409, "automation_not_live")


@pytest.mark.parametrize(
    "raw",
    [
        b'{"__proto__": {"a": 1}, "contact": {"phone": "+4930999"}, "run": 1, "organization": "Evil", "trigger": "x"}',
        json.dumps({f"k{number}": number for number in range(10_000)}).encode(),
        b'{"a": ' + b"9" * 4_000 + b', "b": 1E300, "c": -0.0, "d": [[[[[[1]]]]]], "": 1, "\xc3\xa4": 2}',
        json.dumps({"a": "{{ organization }} {% x %} \u202e\u0007\ud83d\ude00", "b": "x" * 200_000}).encode(),
    ],
    ids=["names", "10,000 keys", "numbers", "texts"],
)
def test_wild_payloads_are_fields_like_any_other(
    door: MakeDoor, raw: bytes, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = door()
    assert one.post(raw=raw).status_code == 202
    (run,) = runs()
    values = values_of(run, contact=None, organization=cast.organization)
    assert values["organization"] == cast.organization.name and values["contact"] == {}
    assert set(run.data) == {"trigger", "nodes"}
    text = fill_in('{{ trigger.a | "?" }}', values)
    assert cast.organization.name not in text
    carry_on()
    run.refresh_from_db()
    assert run.status == "done"


@pytest.mark.parametrize("phone", ["12", "not a number", None, True, {"a": 1}, ""])
def test_a_number_that_cannot_be_read_is_a_run_that_was_not_begun(door: MakeDoor, phone: Any) -> None:
    response = door(phone_path="phone", makes_contact=True).post({"phone": phone, "id": 1})
    (run,) = runs()
    assert (run.status, run.reason, run.contact) == ("skipped", "bad_number", None)
    assert "The number in phone cannot be used." in run.detail and run.data["trigger"]["id"] == 1
    assert run.detail.endswith("Let the other system send it as phone, or name another field in the trigger.")
    assert not places_of([run]), "it stands at no step"
    assert response.json() == {"status": "skipped", "runs": [str(run.pk)], "detail": run.detail}
    assert not Contact.objects.exists()


@pytest.mark.parametrize("phone", ["030 123456", "+4930123456", "004930123456", 4930123456])
def test_a_contact_is_added_only_where_that_was_asked_for(cast: Cast, door: MakeDoor, phone: Any) -> None:
    cast.organization.default_region = "DE"
    cast.organization.save()
    body = {"phone": phone, "who": "Ada"}
    door(phone_path="phone").post(body)
    assert (runs()[0].phone, runs()[0].contact) == ("+4930123456", None)
    one = door(phone_path="phone", makes_contact=True, name_path="who", replay_seconds=0)
    one.post(body), one.post(body)
    contact = Contact.objects.get(organization=cast.organization)
    assert (contact.phone, contact.name) == ("+4930123456", "Ada")
    assert [run.contact for run in runs()[1:]] == [contact, contact]


def test_a_draft_captures_samples_whose_fields_can_be_picked(cast: Cast) -> None:
    automation = create(cast.organization, name="Orders", flow=Flow("webhook", {}, (spec("n1"),), 1), actor=cast.admin)
    one = Door(automation, cast)
    for number in range(7):
        response = one.post({**ORDER, "number": number})
        assert response.status_code == 202 and response.json()["status"] == "captured"
    assert HookSample.objects.count() == 5 and not runs()
    save_draft(automation, read(automation.draft), based_on=automation.draft_number)
    scope = scope_at(cast.organization, read(automation.draft), "n1", automation=automation)
    found = {field.path: (field.type, field.example) for field in scope.fields}
    assert found["trigger.order.id"] == ("number", 7) and found["trigger.phone"][0] == "phone"
    assert found["trigger.number"] == ("number", 6)
    assert "contact.name" not in found  # no field was said to be the number


def test_large_payloads_are_kept_shorter_and_of_a_stream_not_each(door: MakeDoor) -> None:
    one = door()
    one.post({f"f{number}": "x" * 1_900 for number in range(100)})
    sample = HookSample.objects.get()
    assert len(sample.payload["f0"]) == 200 and len(json.dumps(sample.payload)) < hooks.LARGEST_SAMPLE
    for number in range(3):
        one.post({"n": number})
    assert HookSample.objects.count() == 1
    AutomationHook.objects.update(sampled_at=Now() - timedelta(seconds=10))
    one.post({"n": 9})
    assert HookSample.objects.count() == 2


def test_required_and_named_fields_are_known_before_anything_came(cast: Cast, listening: Listening) -> None:
    automation = listening("webhook", required="order.id", phone_path="customer.phone")
    scope = scope_at(cast.organization, read(automation.draft), "n1", automation=automation)
    assert {"trigger.order.id", "trigger.customer.phone", "contact.name"} <= {field.path for field in scope.fields}


def test_refusals_are_kept_up_to_a_number_and_a_flood_costs_little(door: MakeDoor) -> None:
    one = door()
    for _ in range(30):
        one.post(secret="wrong")
    assert HookRefusal.objects.count() == hooks.KEPT_REFUSALS
    one.hook.refresh_from_db()
    assert 20 <= one.hook.refused_count <= 25


def test_old_rows_are_forgotten_and_an_erased_number_too(cast: Cast, door: MakeDoor) -> None:
    one = door()
    one.post({"phone": "4930123456"})
    SeenEvent.objects.create(organization=cast.organization, name="a", sample={"to": "+4930123456"})
    person = Person(cast.organization, one.automation.pk, {"+4930123456": "key"})
    assert forget_samples(person) == 2 and forget_samples(person) == 0
    one.hook.refresh_from_db()
    assert one.hook.shape == {"phone": "text"}
    assert hooks.forget_old() == 0
    HookCall.objects.update(at=Now() - timedelta(hours=2))
    assert hooks.forget_old() == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"required": "order id"}, "no field"), ({"phone_path": "a..b"}, "Write the field"), ({"auth": "none"}, "none"),
        ({"makes_contact": True}, "which field has the number"), ({"replay_seconds": 9999}, "3600"),
        ({"required": "\n".join(f"f{n}" for n in range(60))}, "At most 50"),
    ],
)  # fmt: skip
def test_bad_settings_are_refused(cast: Cast, given: dict[str, Any], words: str) -> None:
    found = wrong(cast, "webhook", **given)
    assert any(words in text for text in found), found
    assert wrong(cast, "webhook") == wrong(cast, "webhook", phone_path="{{ trigger.customer.phone }}") == []


@pytest.mark.django_db(transaction=True)
def test_the_same_key_many_times_at_once_is_one_run(cast: Cast, listening: Listening) -> None:
    one = Door(listening("webhook"), cast)
    answers: list[HttpResponse] = []

    def call() -> None:
        answers.append(one.post(**{"Idempotency-Key": "order-7"}))
        database.close()

    threads = [threading.Thread(target=call) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [202]
    assert {run for answer in answers for run in answer.json()["runs"]} == {str(Run.objects.get().pk)}


def test_a_secret_made_in_the_panel_also_shows_what_comes(cast: Cast) -> None:
    made = create(cast.organization, name="Orders", flow=Flow("webhook", {}, (spec("n1"),), 1), actor=cast.admin)
    address = cast.url(f"automations/{made.pk}/webhook/secret/")
    panel = cast.client("admin").post(address, HTTP_HX_REQUEST="true").content.decode()
    assert "whs_" in panel and 'id="hook-news"' in panel and "Waiting for a first call" in panel


def test_published_without_a_secret_it_says_that_nothing_can_call(cast: Cast) -> None:
    made = create(cast.organization, name="Orders", flow=Flow("webhook", {}, (spec("n1"),), 1), actor=cast.admin)

    def publish_by_hand() -> str:
        made.refresh_from_db()
        address = cast.url(f"automations/{made.pk}/publish/")
        return cast.client("admin").post(address, {"draft": made.draft_number}, follow=True).content.decode()

    assert "Nothing can call it yet" in publish_by_hand()
    hooks.make_secret(made, actor=cast.admin)
    assert "Nothing can call it yet" not in publish_by_hand()


@pytest.mark.parametrize(
    ("trigger", "given", "example"),
    [
        ("webhook", {}, {"order_id": 17, "status": "shipped", "phone": "+4915112345678"}),
        ("webhook", {"required": "order.id\nwhat", "phone_path": "order.phone"},
         {"order": {"id": 17, "phone": "+4915112345678"}, "what": "text"}),
        ("webhook", {"required": "';rm -rf /"}, {}),
        ("threshold", {}, {"temperature": 31}),
        ("threshold", {"value_path": "t", "limit": 5, "direction": "below", "subject_path": "at"},
         {"t": 4, "at": "sensor 1"}),
    ],
)  # fmt: skip
def test_the_example_of_a_call_has_the_fields_that_are_needed(
    trigger: str, given: dict[str, Any], example: dict[str, Any]
) -> None:
    found = trigger_of(trigger)
    assert isinstance(found, WebhookTrigger)
    assert found.example(given) == example
