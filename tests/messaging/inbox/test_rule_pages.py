"""The pages of keyword rules and office hours."""

from typing import Any

import pytest
from django.test import Client

from integrations.organizations.models import AuditEntry
from messaging.inbox.models import InboxPolicy, KeywordRule
from messaging.sending.models import Message
from tests.conftest import Cast

pytestmark = pytest.mark.django_db
RULE = {"name": "Hours", "match": "exact", "words": "Hours, Öffnungszeiten\nhours", "reply": "9 to 5.", "tag": ""}


@pytest.fixture
def admin(cast: Cast) -> Client:
    return cast.client("admin")


def make(client: Client, cast: Cast, **changes: str) -> Any:
    return client.post(cast.url("inbox/rules/new/"), {**RULE, **changes})


def test_rule_is_made_shown_changed_and_deleted(cast: Cast, admin: Client) -> None:
    assert "No keyword rules yet" in admin.get(cast.url("inbox/rules/")).content.decode()
    assert make(admin, cast).status_code == 302
    rule = KeywordRule.objects.get()
    assert rule.words == ["hours", "offnungszeiten"]
    assert "9 to 5." in admin.get(cast.url("inbox/rules/")).content.decode()
    assert "offnungszeiten" in admin.get(cast.url(f"inbox/rules/{rule.pk}/")).content.decode()
    admin.post(cast.url(f"inbox/rules/{rule.pk}/"), {**RULE, "reply": "8 to 4."})
    rule.refresh_from_db()
    assert rule.reply == "8 to 4."
    admin.post(cast.url(f"inbox/rules/{rule.pk}/change/"), {"do": "delete"})
    assert not KeywordRule.objects.exists()
    assert AuditEntry.objects.filter(action__startswith="keyword_rule.").count() == 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": " "}, "required"),
        ({"words": ", ,"}, "at least one word"),
        ({"words": "stop"}, "understood by itself"),
        ({"words": "\n".join(f"w{n}" for n in range(40))}, "at most 30 words"),
        ({"words": "x" * 100}, "at most 80 characters"),
        ({"reply": ""}, "Say what the rule does"),
        ({"reply": "a" * 1700}, "at most 1,600"),
        ({"reply": "Hi {{ first_name }}"}, "Nobody fills"),
        ({"reply": "Hi {{ oops"}, "not closed"),
        ({"opts_out": "on"}, "gets nothing more"),
        ({"tag": "twilio-message-stop"}, "follows the opt-outs"),
        ({"pause_minutes": "0"}, "greater than or equal to 1"),
        ({"match": "sounds like"}, "valid choice"),
    ],
)
def test_bad_rule_is_refused_in_words(cast: Cast, admin: Client, changes: dict[str, str], words: str) -> None:
    answer = make(admin, cast, **changes)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not KeywordRule.objects.exists()


def test_rules_change_places_and_are_switched(cast: Cast, admin: Client) -> None:
    for name in ("One", "Two", "Three"):
        make(admin, cast, name=name)
    third = KeywordRule.objects.get(name="Three")
    path = cast.url(f"inbox/rules/{third.pk}/change/")
    for _ in range(5):
        admin.post(path, {"do": "up"})
    assert [rule.name for rule in KeywordRule.objects.all()] == ["Three", "One", "Two"]
    admin.post(path, {"do": "down"})
    assert [rule.name for rule in KeywordRule.objects.all()] == ["One", "Three", "Two"]
    for _ in range(2):
        admin.post(path, {"do": "off"})
    third.refresh_from_db()
    assert not third.is_on
    assert AuditEntry.objects.filter(action="keyword_rule.switched").count() == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hours?", "The rule <strong>Hours</strong> fits"),
        ("Stop", "opted out"),
        ("Where is my parcel?", "it waits in the inbox"),
        ("", "Nothing is sent."),
    ],
)
def test_trying_says_what_would_happen_and_does_nothing(cast: Cast, admin: Client, text: str, words: str) -> None:
    make(admin, cast)
    page = admin.post(cast.url("inbox/rules/try/"), {"text": text}).content.decode()
    assert words in page
    assert not Message.objects.exists()


def test_trying_outside_office_hours_names_the_away_text(cast: Cast, admin: Client) -> None:
    InboxPolicy.objects.create(organization=cast.organization, is_on=True, text="Away", hours=[])
    page = admin.post(cast.url("inbox/rules/try/"), {"text": "Hi"}, headers={"HX-Request": "true"}).content.decode()
    assert "outside office hours" in page
    assert "<html" not in page


def test_office_hours_are_kept(cast: Cast, admin: Client) -> None:
    page = admin.get(cast.url("inbox/hours/")).content.decode()
    assert "Switched off" in page
    assert 'value="09:00"' in page
    hours = {"from_0": "08:00", "until_0": "12:30", "from_5": "", "until_5": ""}
    data = {"is_on": "on", "text": "We are away.", "holidays": "2026-12-26\n2026-12-25 Christmas", **hours}
    for _ in range(2):
        assert admin.post(cast.url("inbox/hours/"), data).status_code == 302
    policy = InboxPolicy.objects.get()
    assert policy.hours == [[0, "08:00", "12:30"]]
    assert policy.holidays == ["2026-12-25", "2026-12-26"]
    assert AuditEntry.objects.filter(action="inbox_policy.changed").count() == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"is_on": "on", "text": ""}, "Write what is answered"),
        ({"text": "x", "from_0": "09:00"}, "write both times"),
        ({"text": "x", "from_0": "17:00", "until_0": "09:00"}, "must be later"),
        ({"text": "x", "from_0": "nine", "until_0": "25:00"}, "Write a time"),
        ({"text": "x", "holidays": "Christmas"}, "is no date"),
        ({"text": "Hi {{ name }}"}, "Nobody fills"),
    ],
)
def test_bad_office_hours_are_refused_in_words(cast: Cast, admin: Client, data: dict[str, str], words: str) -> None:
    answer = admin.post(cast.url("inbox/hours/"), data)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not InboxPolicy.objects.exists()


def test_agent_may_not_change_what_answers_by_itself_and_a_stranger_finds_nothing(cast: Cast, admin: Client) -> None:
    make(admin, cast)
    rule = KeywordRule.objects.get()
    agent, stranger = cast.client("agent"), cast.client("stranger")
    for path in ("inbox/rules/", "inbox/hours/", f"inbox/rules/{rule.pk}/"):
        assert agent.get(cast.url(path)).status_code == 403
        assert stranger.get(cast.url(path)).status_code == 404
    assert stranger.post(cast.url(f"inbox/rules/{rule.pk}/change/", cast.other), {"do": "delete"}).status_code == 404
    assert KeywordRule.objects.exists()


def test_settings_page_leads_to_both(cast: Cast, admin: Client) -> None:
    page = admin.get(cast.url("settings/")).content.decode()
    assert cast.url("inbox/rules/") in page
    assert cast.url("inbox/hours/") in page
