"""The audit log: only added to, readable, paged by id."""

import pytest
from django.db import DatabaseError, transaction

from integrations.organizations import audit
from integrations.organizations.audit_sentences import line_of, register_sentences
from integrations.organizations.models import AuditEntry
from tests.conftest import Cast


def test_entries_can_be_neither_changed_nor_deleted(cast: Cast) -> None:
    entry = audit.record(cast.organization, actor=cast.owner, action="member.left", target=cast.owner)
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEntry.objects.filter(pk=entry.pk).update(action="nothing.happened")
    with pytest.raises(DatabaseError), transaction.atomic():
        entry.delete()
    entry.refresh_from_db()
    assert entry.action == "member.left"


def test_secrets_never_reach_the_log(cast: Cast) -> None:
    entry = audit.record(
        cast.organization,
        actor=cast.owner,
        action="connection.rotated",
        changes={"auth_token": ["old", "new"], "api_key_secret": "s3cret", "name": ["A", "B"]},
    )
    entry.refresh_from_db()
    assert "s3cret" not in str(entry.changes)
    assert entry.changes["name"] == ["A", "B"]
    page = cast.client("owner").get(cast.url("audit/")).content.decode()
    assert "A → B" in page
    assert "s3cret" not in page


def test_sentences_are_readable_and_unknown_actions_have_one_too(cast: Cast) -> None:
    changed = audit.record(
        cast.organization,
        actor=cast.owner,
        action="member.role_changed",
        target=cast.agent,
        changes={"role": ["agent", "admin"]},
    )
    assert line_of(changed).sentence == "changed the role of Agent from agent to admin"
    assert line_of(changed).details == []
    foreign = audit.record(cast.organization, actor="sweep", action="widget.turned_off", target=cast.organization)
    assert line_of(foreign).sentence == "turned off organization Acme Logistics"
    register_sentences({"widget.turned_off": "turned the widget of {which} off, {absent}"})
    assert line_of(foreign).sentence == "turned the widget of Acme Logistics off, –"


def test_filters_by_person_action_and_day(cast: Cast) -> None:
    audit.record(cast.organization, actor=cast.owner, action="api_key.created", target=cast.organization)
    audit.record(cast.organization, actor=cast.admin, action="member.left", target=cast.admin)
    audit.record(cast.other, actor=cast.stranger, action="member.left", target=cast.stranger)
    client = cast.client("owner")

    def lines(**filters: str) -> list[str]:
        response = client.get(cast.url("audit/"), filters)
        assert response.status_code == 200
        return [line.entry.actor_label for line in response.context["lines"]]

    assert lines() == ["admin@acme.example", "owner@acme.example"]
    assert lines(who="OWNER@") == ["owner@acme.example"]
    assert lines(action="member.left") == ["admin@acme.example"]
    assert lines(since="2999-01-01") == []
    assert len(lines(since="2001-01-01", until="2999-01-01")) == 2
    for nonsense in (
        {"since": "31.31.2020"},
        {"action": "zz"},
        {"before": "x"},
        {"who": "a\x00"},
        {"until": "9999-12-31"},
    ):
        assert client.get(cast.url("audit/"), nonsense).status_code == 200


def test_paging_walks_every_entry_once_and_back(cast: Cast, django_assert_max_num_queries) -> None:
    for _ in range(120):
        audit.record(cast.organization, actor=cast.owner, action="organization.changed")
    client = cast.client("owner")
    url, seen = cast.url("audit/"), []
    with django_assert_max_num_queries(36):
        for _ in range(3):
            context = client.get(url).context
            seen += [line.entry.pk for line in context["lines"]]
            url = cast.url("audit/") + context["older"]
    assert seen == sorted(AuditEntry.objects.values_list("pk", flat=True), reverse=True)
    assert context["older"] == ""
    back = client.get(cast.url("audit/") + context["newer"]).context
    assert [line.entry.pk for line in back["lines"]] == seen[50:100]
    assert back["newer"]
