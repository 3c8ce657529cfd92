"""Writing templates: versions only where the text changed, nobody overwritten unseen, second runs harmless."""

import threading

import pytest
from django.db import connections

from integrations.organizations.models import AuditEntry
from messaging.templates.models import Template, TemplateVersion
from messaging.templates.wording import (
    SavedMeanwhile,
    WordingProblem,
    archive,
    create_template,
    duplicate,
    restore,
    save_wording,
    unarchive,
)
from tests.conftest import Cast
from tests.factories import OrganizationFactory, UserFactory


@pytest.fixture
def template(cast: Cast) -> Template:
    return create_template(cast.organization, name="Delivery", body="Hello {{ name }}", actor=cast.agent)


def test_a_new_template_has_version_one(cast: Cast, template: Template) -> None:
    assert template.current is not None
    assert (template.current.number, template.current.body, template.current.created_by) == (
        1,
        "Hello {{ name }}",
        cast.agent,
    )
    assert AuditEntry.objects.get().action == "template.created"


def test_the_same_form_sent_twice_writes_one_template(cast: Cast, template: Template) -> None:
    again = create_template(cast.organization, name=" Delivery ", body="Hello {{ name }}", actor=cast.agent)
    assert again == template
    assert TemplateVersion.objects.count() == 1


def test_a_name_is_given_once_among_templates_in_use(cast: Cast, template: Template) -> None:
    with pytest.raises(WordingProblem) as problem:
        create_template(cast.organization, name="Delivery", body="Other", actor=cast.agent)
    assert (problem.value.code, problem.value.field, problem.value.existing) == ("name_taken", "name", template)
    create_template(cast.other, name="Delivery", body="Other", actor=cast.stranger)
    archive(template, actor=cast.agent)
    create_template(cast.organization, name="Delivery", body="Other", actor=cast.agent)
    with pytest.raises(WordingProblem) as taken:
        unarchive(template, actor=cast.agent)
    assert taken.value.code == "name_taken"


def test_a_changed_text_is_a_new_version_and_an_unchanged_one_is_not(cast: Cast, template: Template) -> None:
    second = save_wording(template, name="Delivery", body="Hi {{ name }}", based_on=1, actor=cast.owner)
    assert second.number == 2
    assert save_wording(template, name="Delivery", body="Hi {{ name }}", based_on=2, actor=cast.owner) == second
    assert template.versions.count() == 2
    assert AuditEntry.objects.filter(action="template.reworded").count() == 1


def test_renaming_alone_makes_no_version(cast: Cast, template: Template) -> None:
    save_wording(template, name="Parcel", body="Hello {{ name }}", based_on=1, actor=cast.agent)
    template.refresh_from_db()
    assert (template.name, template.versions.count()) == ("Parcel", 1)
    assert AuditEntry.objects.get(action="template.renamed").changes == {"name": ["Delivery", "Parcel"]}


def test_a_name_that_is_taken_saves_neither_name_nor_text(cast: Cast, template: Template) -> None:
    create_template(cast.organization, name="Parcel", body="x", actor=cast.agent)
    with pytest.raises(WordingProblem):
        save_wording(template, name="Parcel", body="New text", based_on=1, actor=cast.agent)
    template.refresh_from_db()
    assert (template.name, template.versions.count()) == ("Delivery", 1)


def test_a_colleagues_newer_text_is_not_overwritten(cast: Cast, template: Template) -> None:
    save_wording(template, name="Delivery", body="Theirs", based_on=1, actor=cast.owner)
    with pytest.raises(SavedMeanwhile) as problem:
        save_wording(template, name="Delivery", body="Mine", based_on=1, actor=cast.agent)
    assert "Owner saved version 2 meanwhile" in problem.value.detail
    assert problem.value.version.body == "Theirs"
    assert save_wording(template, name="Delivery", body="Mine", based_on=2, actor=cast.agent).number == 3


def test_an_earlier_wording_comes_back_as_a_new_version(cast: Cast, template: Template) -> None:
    save_wording(template, name="Delivery", body="Two", based_on=1, actor=cast.agent)
    third = restore(template, number=1, actor=cast.agent)
    assert (third.number, third.body) == (3, "Hello {{ name }}")
    assert restore(template, number=1, actor=cast.agent) == third
    with pytest.raises(WordingProblem):
        restore(template, number=99, actor=cast.agent)


def test_archiving_twice_is_once_and_an_archived_one_does_not_change(cast: Cast, template: Template) -> None:
    archive(template, actor=cast.agent)
    archive(template, actor=cast.agent)
    assert AuditEntry.objects.filter(action="template.archived").count() == 1
    for act in (
        lambda: save_wording(template, name="Delivery", body="New", based_on=1, actor=cast.agent),
        lambda: restore(template, number=1, actor=cast.agent),
    ):
        with pytest.raises(WordingProblem) as problem:
            act()
        assert problem.value.code == "archived"
    unarchive(template, actor=cast.agent)
    unarchive(template, actor=cast.agent)
    template.refresh_from_db()
    assert template.archived_at is None


def test_copies_find_a_free_name(cast: Cast, template: Template) -> None:
    long = create_template(cast.organization, name="n" * 80, body="x", actor=cast.agent)
    assert duplicate(template, actor=cast.agent).name == "Delivery (copy)"
    second = duplicate(template, actor=cast.agent)
    assert second.name == "Delivery (copy 2)"
    assert second.current is not None
    assert second.current.body == "Hello {{ name }}"
    assert len(duplicate(long, actor=cast.agent).name) <= 80


@pytest.mark.parametrize(
    "body",
    ["", "   \n", "\x00\x07", "\u200b\u200e", "x" * 1601, "{{ name", "{% load static %}Hi", "{{ name|upper }}",
     "name }}", "{{ 1x }}", "{{ }}", "x" * 20_000],
)  # fmt: skip
def test_a_text_that_cannot_be_sent_is_refused_at_the_field(cast: Cast, body: str) -> None:
    with pytest.raises(WordingProblem) as problem:
        create_template(cast.organization, name="Bad", body=body, actor=cast.agent)
    assert problem.value.field == "body"
    assert not Template.objects.exists()


@pytest.mark.parametrize("name", ["", " \t", "\u200b", "x" * 81])
def test_a_template_needs_a_name_of_bearable_length(cast: Cast, name: str) -> None:
    with pytest.raises(WordingProblem) as problem:
        create_template(cast.organization, name=name, body="Hi", actor=cast.agent)
    assert problem.value.field == "name"


def test_control_characters_are_taken_out_and_line_breaks_made_plain(cast: Cast) -> None:
    made = create_template(cast.organization, name="A\x00B", body="One\r\nTwo\x00\x07", actor=cast.agent)
    assert made.name == "A B"
    assert made.current is not None
    assert made.current.body == "One\nTwo"


def test_right_to_left_texts_stay_as_they_are(cast: Cast) -> None:
    made = create_template(cast.organization, name="Arabic", body="مرحبا {{ name }}، طردك في الطريق", actor=cast.agent)
    assert made.current is not None
    assert made.current.body == "مرحبا {{ name }}، طردك في الطريق"


@pytest.mark.django_db(transaction=True)
def test_of_two_members_saving_at_once_one_is_told() -> None:
    organization, actor = OrganizationFactory(), UserFactory()
    template = create_template(organization, name="Delivery", body="One", actor=actor)
    outcomes: list[str] = []

    def act(number: int) -> None:
        try:
            save_wording(template, name="Delivery", body=f"Text {number}", based_on=1, actor=actor)
            outcomes.append("saved")
        except SavedMeanwhile:
            outcomes.append("told")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=act, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["saved"] + ["told"] * 5
    assert template.versions.count() == 2
