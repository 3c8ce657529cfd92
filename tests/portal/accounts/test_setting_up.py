"""Making a portal, its rules, terms and roles, and switching it on and off."""

import pytest

from integrations.organizations.models import AuditEntry
from portal.accounts import setting_up
from portal.accounts.models import Portal, PortalUser
from portal.accounts.setting_up import SetupProblem, change_portal, create_portal, switch
from portal.forms import building
from portal.forms.models import PublicForm
from portal.forms.opening import find_public_form
from portal.forms.selectors import find_form, find_forms
from tests.conftest import Cast

pytestmark = pytest.mark.django_db


def told() -> list[str]:
    entries = AuditEntry.objects.filter(action__startswith="portal.").order_by("pk")
    return list(entries.values_list("action", flat=True))


def test_portal_begins_switched_off_with_a_question_for_the_name(portal: Portal, cast: Cast) -> None:
    assert (portal.slug, portal.is_on, portal.admission) == ("driver-portal", False, "approval")
    form = portal.form
    assert (form.title, form.serves, form.state) == ("Driver portal", "portal", "open")
    assert form.current is not None, "what is asked is published from the beginning"
    assert [field["saves_as"] for field in form.current.definition] == ["name"]
    assert told() == ["portal.created"]


def test_form_of_a_portal_is_no_form_of_the_public(portal: Portal, cast: Cast) -> None:
    assert find_public_form(portal.form.token) is None
    assert find_form(cast.organization, portal.form.pk) is None
    assert not find_forms(cast.organization).exists()


def test_portal_may_ask_nothing_and_consent_needs_no_number_question(portal: Portal, cast: Cast) -> None:
    form = portal.form
    building.remove_field(form, key="f1")
    building.publish(form, actor=cast.owner)
    consent = building.add_field(form, kind="consent")
    building.change_field(
        form, key=consent.key, values={"label": "News", "wording": "Write to me.", "purpose": "marketing"}
    )
    number = building.add_field(form, kind="phone")
    building.publish(form, actor=cast.owner)
    building.change_field(form, key=number.key, values={"label": "Second number", "verify": True})
    with pytest.raises(building.BuildingProblem, match="A portal proves the number"):
        building.publish(form, actor=cast.owner)


@pytest.mark.parametrize(
    ("name", "slug"),
    [("Acme  Drivers ", "acme-drivers"), ("供应商", "portal"), ("Ä_b", "a-b"), ("x", "portal-x"), ("P" * 80, "p" * 40)],
)
def test_address_is_made_of_the_name(cast: Cast, name: str, slug: str) -> None:
    assert create_portal(cast.organization, name=name, actor=cast.owner).slug == slug
    assert create_portal(cast.other, name=name, actor=cast.stranger).slug == f"{slug}-2"


@pytest.mark.parametrize("slug", ["ab", "-abc", "abc-", "a b c", "a--b", "ünder", "x" * 51, "a_b_c", "abc/def"])
def test_address_that_cannot_be_is_refused(cast: Cast, slug: str) -> None:
    with pytest.raises(SetupProblem) as refused:
        create_portal(cast.organization, name="Drivers", slug=slug, actor=cast.owner)
    assert refused.value.part == "slug"
    assert not Portal.objects.exists()


def test_taken_address_is_said_at_its_field(portal: Portal, cast: Cast) -> None:
    with pytest.raises(SetupProblem, match="taken") as refused:
        create_portal(cast.other, name="Theirs", slug="Driver-Portal", actor=cast.stranger)
    assert refused.value.part == "slug"
    theirs = create_portal(cast.other, name="Theirs", actor=cast.stranger)
    with pytest.raises(SetupProblem, match="taken"):
        change_portal(theirs, values={"slug": "driver-portal", "name": "Ours"}, actor=cast.stranger)
    assert (theirs.slug, theirs.name) == ("theirs", "Theirs")
    assert PublicForm.objects.get(pk=theirs.form_id).title == "Theirs"


def test_change_is_told_by_its_parts(portal: Portal, cast: Cast) -> None:
    changed = change_portal(
        portal, values={"name": "Drivers", "session_days": 7, "admission": "approval"}, actor=cast.owner
    )
    assert changed == ["name", "session_days"]
    assert change_portal(portal, values={"name": " Drivers "}, actor=cast.owner) == []
    assert PublicForm.objects.get(pk=portal.form_id).title == "Drivers"
    assert AuditEntry.objects.get(action="portal.changed").changes == {"parts": "name, length of a login"}


def test_switching_twice_changes_once(portal: Portal, cast: Cast) -> None:
    assert switch(portal, on=True, actor=cast.owner)
    assert not switch(portal, on=True, actor=cast.owner)
    assert Portal.objects.get(pk=portal.pk).is_on
    assert switch(portal, on=False, actor=cast.owner)
    assert told() == ["portal.created", "portal.switched_on", "portal.switched_off"]


def test_terms_are_numbered_and_kept(portal: Portal, cast: Cast) -> None:
    with pytest.raises(SetupProblem):
        setting_up.publish_terms(portal, texts={"en": " ", "xx": "Klingon"}, actor=cast.owner)
    first = setting_up.publish_terms(portal, texts={"en": "Be kind.\r\n", "de": ""}, actor=cast.owner)
    assert (first.number, first.texts) == (1, {"en": "Be kind."})
    assert setting_up.publish_terms(portal, texts={"en": "Be kind."}, actor=cast.owner) == first
    second = setting_up.publish_terms(portal, texts={"en": "Be kinder."}, actor=cast.owner)
    assert (second.number, Portal.objects.get(pk=portal.pk).terms) == (2, second)
    assert setting_up.remove_terms(portal, actor=cast.owner)
    assert not setting_up.remove_terms(portal, actor=cast.owner)
    assert setting_up.publish_terms(portal, texts={"en": "Be kind."}, actor=cast.owner).number == 3
    assert portal.all_terms.count() == 3
    with pytest.raises(SetupProblem) as refused:
        setting_up.publish_terms(portal, texts={"de": "x" * 20_001}, actor=cast.owner)
    assert refused.value.part == "de"


def test_roles_are_named_once_and_one_is_given_to_newcomers(portal: Portal, cast: Cast) -> None:
    drivers = setting_up.add_role(portal, name="Drivers", actor=cast.owner)
    guests = setting_up.add_role(portal, name="Guests", actor=cast.owner)
    for name in ("", "drivers", "x" * 41):
        with pytest.raises(SetupProblem):
            setting_up.add_role(portal, name=name, actor=cast.owner)
    with pytest.raises(SetupProblem, match="already"):
        setting_up.rename_role(guests, name="DRIVERS", actor=cast.owner)
    assert setting_up.rename_role(drivers, name="drivers", actor=cast.owner), "another writing of its own name"
    assert not setting_up.rename_role(drivers, name="drivers", actor=cast.owner)
    assert setting_up.set_default_role(portal, role=drivers, actor=cast.owner)
    assert setting_up.set_default_role(portal, role=guests, actor=cast.owner)
    assert not setting_up.set_default_role(portal, role=guests, actor=cast.owner)
    assert list(portal.roles.filter(is_default=True)) == [guests]
    PortalUser.objects.create(portal=portal, phone="+4915112345678", status="active", role=guests)
    assert setting_up.remove_role(guests, actor=cast.owner) == 1
    assert PortalUser.objects.get().role is None
    assert not setting_up.set_default_role(portal, role=None, actor=cast.owner)


def test_only_a_portal_without_people_is_deleted(portal: Portal, cast: Cast) -> None:
    person = PortalUser.objects.create(portal=portal, phone="+4915112345678", status="left")
    with pytest.raises(SetupProblem, match="Switch it off"):
        setting_up.delete_portal(portal, actor=cast.owner)
    person.delete()
    setting_up.publish_terms(portal, texts={"en": "Be kind."}, actor=cast.owner)
    setting_up.delete_portal(portal, actor=cast.owner)
    assert not Portal.objects.exists()
    assert not PublicForm.objects.exists()
