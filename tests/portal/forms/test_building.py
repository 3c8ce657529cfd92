"""Building: steps that can be undone, versions, what visitors get, and who colleagues are."""

from typing import Any

import pytest

from integrations.organizations.models import AuditEntry
from portal.forms import building
from portal.forms.building import BuildingProblem
from portal.forms.definition import read
from portal.forms.models import FormVersion, PublicForm, Submission
from portal.forms.selectors import columns_of, has_changes
from tests.conftest import Cast

pytestmark = pytest.mark.django_db


def keys(form: PublicForm) -> list[str]:
    return [field.key for field in read(PublicForm.objects.get(pk=form.pk).definition).fields]


def test_new_form_asks_for_name_and_proved_number(form: PublicForm) -> None:
    name, number = read(form.definition).fields
    assert (name.saves_as, number.verify, form.state) == ("name", True, "draft")
    assert len(form.token) >= 16


def test_questions_are_added_moved_copied_and_taken_out(form: PublicForm) -> None:
    building.add_field(form, kind="email")
    assert keys(form) == ["f1", "f2", "f3"]
    assert building.move_field(form, key="f3", by=-1)
    assert building.order_fields(form, keys=["f2", "f3", "f1"])
    assert building.copy_field(form, key="f2")
    assert keys(form) == ["f2", "f4", "f3", "f1"]
    assert not read(form.definition).find("f4").verify, "only one number is proved"  # type: ignore[union-attr]
    assert building.remove_field(form, key="f3")
    assert keys(form) == ["f2", "f4", "f1"]
    assert not building.move_field(form, key="f1", by=1), "the last one stays"


def test_every_step_is_undone_and_done_again(form: PublicForm) -> None:
    building.add_field(form, kind="email")
    building.change_field(form, key="f3", values={"label": "Where to write"})
    building.remove_field(form, key="f1")
    states = [keys(form)]
    while building.step_back(form, shown=form.step):
        states.append(keys(form))
    assert states == [["f2", "f3"], ["f1", "f2", "f3"], ["f1", "f2", "f3"], ["f1", "f2"]]
    for _ in range(3):
        assert building.step_forward(form, shown=form.step)
    assert keys(form) == ["f2", "f3"]
    assert not building.step_forward(form, shown=form.step)


def test_undo_of_a_page_that_is_out_of_date_takes_nothing_back(form: PublicForm) -> None:
    building.add_field(form, kind="email")
    shown = form.step
    building.add_field(form, kind="date")
    assert not building.step_back(form, shown=shown)
    assert len(keys(form)) == 4


def test_key_of_a_deleted_question_is_never_given_again(form: PublicForm) -> None:
    building.add_field(form, kind="email")
    building.step_back(form, shown=form.step)
    assert building.add_field(form, kind="date").key == "f4"


def test_colleagues_who_build_at_once_lose_nothing(form: PublicForm) -> None:
    other = PublicForm.objects.get(pk=form.pk)
    building.change_field(form, key="f1", values={"label": "Full name"})
    building.change_field(other, key="f2", values={"label": "Mobile", "verify": True})
    assert [field.label for field in read(PublicForm.objects.get(pk=form.pk).definition).fields] == [
        "Full name", "Mobile",
    ]  # fmt: skip
    building.remove_field(other, key="f1")
    with pytest.raises(BuildingProblem, match="deleted it meanwhile"):
        building.change_field(form, key="f1", values={"label": "x"})


@pytest.mark.parametrize("order", [[], ["f1"], ["f1", "f1"], ["f1", "f2", "f9"], ["f2", "f1", "f1"]])
def test_order_that_does_not_name_each_question_once_is_refused(form: PublicForm, order: list[str]) -> None:
    with pytest.raises(BuildingProblem):
        building.order_fields(form, keys=order)
    assert keys(form) == ["f1", "f2"]


@pytest.mark.parametrize(
    "values",
    [{"label": 5}, {"options": ["a"]}, {"max": 5000}, {"saves_as": "phone"}, {"onload": "x"}, {"verify": True}],
)
def test_question_cannot_be_given_what_its_kind_does_not_have(form: PublicForm, values: dict[str, Any]) -> None:
    with pytest.raises(BuildingProblem):
        building.change_field(form, key="f1", values=values)


def test_key_and_kind_of_a_question_stay(form: PublicForm) -> None:
    with pytest.raises(BuildingProblem):
        building.change_field(form, key="f1", values={"kind": "date", "key": "f7", "label": "x", "wording": "y"})
    building.change_field(form, key="f1", values={"label": "x"})
    assert read(form.definition).fields[0].kind == "short_text"


def test_visitors_get_what_was_published_and_a_version_only_where_something_differs(
    form: PublicForm, cast: Cast
) -> None:
    first = building.publish(form, actor=cast.owner)
    assert (first.number, form.state, has_changes(form)) == (1, "open", False)
    assert building.publish(form, actor=cast.owner) == first
    building.change_field(form, key="f1", values={"label": "Full name", "required": True})
    assert has_changes(form)
    assert FormVersion.objects.get(form=form).definition[0]["label"] == "Name"
    assert building.publish(form, actor=cast.owner).number == 2
    assert [entry.action for entry in AuditEntry.objects.filter(object_id=form.pk).order_by("id")] == [
        "form.created", "form.published", "form.published",
    ]  # fmt: skip


def test_form_that_lacks_something_is_not_published(form: PublicForm, cast: Cast) -> None:
    building.add_field(form, kind="consent")
    with pytest.raises(BuildingProblem, match="not ready") as refused:
        building.publish(form, actor=cast.owner)
    assert set(refused.value.problems) == {"f3"}
    assert PublicForm.objects.get(pk=form.pk).state == "draft"


def test_form_is_closed_with_words_and_opened_again(form: PublicForm, cast: Cast) -> None:
    assert not building.close_form(form, message="x", actor=cast.owner), "a draft is not open"
    assert not building.open_form(form, actor=cast.owner)
    building.publish(form, actor=cast.owner)
    assert building.close_form(form, message="Come back in May.", actor=cast.owner)
    assert not building.close_form(form, message="again", actor=cast.owner)
    assert (form.state, form.closed_message) == ("closed", "Come back in May.")
    assert building.open_form(form, actor=cast.owner)


def test_new_link_replaces_the_former_one(form: PublicForm, cast: Cast) -> None:
    former = form.token
    assert building.renew_link(form, actor=cast.owner) != former
    assert not PublicForm.objects.filter(token=former).exists()


def test_copy_has_the_questions_and_none_of_the_rules(published: PublicForm, cast: Cast) -> None:
    PublicForm.objects.filter(pk=published.pk).update(limit_total=5, password="x")
    copy = building.copy_form(published, actor=cast.owner)
    assert copy.definition == published.definition
    assert (copy.state, copy.limit_total, copy.password, copy.next_key) == ("draft", None, "", 100)
    assert not building.step_back(copy, shown=copy.step)


def test_deleting_a_form_takes_what_was_sent_along(published: PublicForm, cast: Cast) -> None:
    assert published.current is not None
    Submission.objects.create(form=published, version=published.current)
    assert building.delete_form(published, actor=cast.owner) == 1
    assert not PublicForm.objects.exists()
    assert not Submission.objects.exists()
    assert AuditEntry.objects.filter(action="form.deleted").exists()


def test_columns_name_every_question_that_was_ever_published(form: PublicForm, cast: Cast) -> None:
    building.publish(form, actor=cast.owner)
    building.remove_field(form, key="f1")
    building.change_field(form, key="f2", values={"label": "Mobile", "verify": True})
    building.publish(form, actor=cast.owner)
    assert [(column.key, column.field.label) for column in columns_of(form)] == [("f2", "Mobile"), ("f1", "Name")]
