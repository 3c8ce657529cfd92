"""An automation as a file: names for ids, no secrets, and clear words for what cannot be taken."""

import json
from typing import Any

import pytest

from messaging.automations.base import Node, Scope
from messaging.automations.checking import problems_of
from messaging.automations.copying import FileProblem, as_file, take
from messaging.automations.flow import NodeSpec, read
from messaging.automations.models import Automation
from messaging.automations.registry import every_node, every_trigger
from messaging.contacts.models import Tag
from messaging.templates.models import Template
from messaging.templates.wording import create_template
from tests.conftest import Cast

from .conftest import Begin, say

pytestmark = pytest.mark.django_db


def written(cast: Cast, begin_draft: Begin) -> Automation:
    template = create_template(cast.organization, name="Thanks", body="Thank you, {{ name }}", actor=cast.owner)
    tag = Tag.objects.create(organization=cast.organization, name="VIP")
    send = NodeSpec("n1", "send_sms", {"to": "tag", "tag": str(tag.pk), "template": str(template.pk)})
    secret = NodeSpec("n2", "say", {"text": "Hello", "api_key": "5ec2e7", "headers": {"Authorization": "Bearer x"}})
    return begin_draft(send, secret)


def test_file_has_names_and_texts_and_no_ids_nor_secrets(cast: Cast, begin_draft: Begin) -> None:
    automation = written(cast, begin_draft)
    made = as_file(automation)
    text = json.dumps(made)
    assert made["templates"] == {"Thanks": "Thank you, {{ name }}"}
    assert made["flow"]["nodes"][0]["settings"]["tag"] == {"$": "tag", "name": "VIP"}
    for row in (*Template.objects.all(), *Tag.objects.all(), automation):
        assert str(row.pk) not in text
    assert "5ec2e7" not in text
    assert "Bearer" not in text


def test_another_organization_takes_it_by_names(cast: Cast, begin_draft: Begin) -> None:
    text = json.dumps(as_file(written(cast, begin_draft)))
    there = Tag.objects.create(organization=cast.other, name="VIP")
    taken = take(cast.other, text, actor=cast.stranger)
    settings = read(taken.automation.draft).nodes[0].settings
    template = Template.objects.get(organization=cast.other)
    assert (template.name, template.current.body) == ("Thanks", "Thank you, {{ name }}")  # type: ignore[union-attr]
    assert settings["tag"] == str(there.pk)
    assert settings["template"] == str(template.pk)
    assert not taken.missing
    again = take(cast.other, text, actor=cast.stranger)
    assert not again.templates, "a template that is there by its name is used as it is"


def test_what_is_missing_there_is_told_and_a_problem_of_its_step(cast: Cast, begin_draft: Begin) -> None:
    text = json.dumps(as_file(written(cast, begin_draft)))
    taken = take(cast.other, text, actor=cast.stranger)
    assert [str(one) for one in taken.missing] == ["the tag “VIP”"]
    problems = problems_of(cast.other, read(taken.automation.draft), automation=taken.automation)
    assert "n1" in {problem.node for problem in problems}


def test_ids_written_by_hand_are_nobody(cast: Cast, begin_draft: Begin) -> None:
    automation = written(cast, begin_draft)
    stored = as_file(automation)
    tag = Tag.objects.get()
    stored["flow"]["nodes"][0]["settings"]["tag"] = str(tag.pk)
    taken = take(cast.other, json.dumps(stored), actor=cast.stranger)
    assert "tag" not in read(taken.automation.draft).nodes[0].settings


def changed(**parts: Any) -> str:
    flow = {"trigger": {"kind": "order", "settings": {}}, "nodes": [{"id": "n1", "kind": "say", "settings": {}}]}
    return json.dumps({"format": "heliograph-automation", "version": 1, "name": "Theirs", "flow": flow, **parts})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("[]", "not an automation"),
        ("{}", "not an automation"),
        (changed(version=9), "another version"),
        (changed(flow=None), "no “flow”"),
        (changed(flow={"nodes": [{"id": "x"}]}), "cannot be read"),
        (changed(flow={"nodes": "all"}), "a list is expected"),
        (changed(templates={"A": 1}), "has no text"),
        (changed(templates={"A": "{{ open"}), "cannot be used"),
        (changed(templates=[]), "cannot be read"),
        ("[" * 100_000, "JSON|nested"),
        ("x" * 1_000_001, "larger than 1 MB"),
    ],
)
def test_file_that_is_none_is_refused_in_words_and_leaves_nothing(cast: Cast, text: str, words: str) -> None:
    with pytest.raises(FileProblem, match=words):
        take(cast.organization, text, actor=cast.owner)
    assert not Automation.objects.exists()
    assert not Template.objects.exists()


JUNK = ([1], {"a": 1}, -1, True, "x" * 300, "{{ broken", "99:99")


@pytest.mark.parametrize("kind", [*every_trigger(), *every_node()], ids=lambda kind: kind.key)
def test_settings_that_no_form_makes_are_taken_or_refused_and_never_a_fault(cast: Cast, kind: Any) -> None:
    names = list(kind.form({}, scope=Scope(cast.organization)).fields)
    for junk in JUNK:
        settings = dict.fromkeys([*names, "groups", "values"], junk)
        stored = {"id": "n1", "kind": kind.key, "settings": settings}
        is_node = isinstance(kind, Node)
        flow = {"trigger": {"kind": "schedule", "settings": {}}, "nodes": [stored]}
        if not is_node:
            flow = {"trigger": {"kind": kind.key, "settings": settings}, "nodes": []}
        try:
            taken = take(cast.organization, changed(flow=flow), actor=cast.owner)
        except FileProblem:
            continue
        page = cast.client("owner").get(
            cast.url(f"automations/{taken.automation.pk}/?open={'n1' if is_node else 'trigger'}")
        )
        assert page.status_code == 200, (kind.key, junk)


def test_pages_of_files(cast: Cast, begin_draft: Begin) -> None:
    automation = begin_draft(say("n1"))
    client = cast.client("owner")
    file = client.get(cast.url(f"automations/{automation.pk}/export/"))
    assert file["Content-Disposition"] == 'attachment; filename="orders.json"'
    here = cast.url("automations/import/")
    assert client.get(here).status_code == 200
    assert client.post(here).status_code == 422
    assert client.post(here, {"text": file.content.decode()}).status_code == 302
    assert Automation.objects.filter(name="Orders").count() == 2
    wrong = client.post(here, {"text": "{ nothing"})
    assert "This is not JSON." in wrong.content.decode()
    assert "{ nothing" in wrong.content.decode()
    for who, status in (("agent", 403), ("viewer", 403), ("stranger", 404)):
        assert cast.client(who).get(here).status_code == status
        assert cast.client(who).get(cast.url(f"automations/{automation.pk}/export/")).status_code == status
