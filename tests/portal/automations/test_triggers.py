"""Automations hear what happens in forms and portals, with typed fields, and nothing of other organizations."""

from typing import Any

import pytest
from django.utils import timezone

from messaging.automations.base import Scope
from messaging.automations.checking import problems_of
from messaging.automations.fields import Type
from messaging.automations.flow import Flow, NodeSpec
from messaging.automations.models import Run
from messaging.automations.publishing import create, publish
from messaging.automations.references import named, resolved
from messaging.automations.registry import trigger_of
from messaging.happenings.models import Happening
from portal.accounts import people
from portal.accounts.invitations import invite
from portal.forms.models import PublicForm
from portal.forms.submitting import submit
from tests.conftest import Cast
from tests.messaging.automations.conftest import carry_on
from tests.messaging.verification.conftest import own_code_of
from tests.portal.accounts.door.conftest import Visitor
from tests.portal.accounts.furnishing import make_person, make_portal
from tests.portal.forms.conftest import PHONE, enter, form, plain, published

__all__ = ["form", "plain", "published"]
pytestmark = pytest.mark.django_db


def listen(cast: Cast, trigger: str, settings: dict[str, Any], *, name: str = "") -> None:
    flow = Flow(trigger=trigger, trigger_settings=settings, nodes=(NodeSpec("n1", "stop"),), count=1)
    publish(create(cast.organization, name=name or trigger, flow=flow, actor=cast.admin), actor=cast.admin)


def test_a_submitted_form_sets_off_a_run_with_its_answers(cast: Cast, plain: PublicForm) -> None:
    listen(cast, "form_submitted", {"form": str(plain.pk), "any_number": True})
    submission = submit(enter(plain, f3="Morning"))
    carry_on()
    run = Run.objects.get()
    assert (run.contact, run.phone, run.status) == (submission.contact, PHONE, "done")
    assert run.data["trigger"]["answer"] == {"f1": "Ada", "f2": PHONE, "f3": "Morning"}
    assert run.data["trigger"]["proved"] is False and run.data["trigger"]["form"] == "Callback"


def test_an_unproved_number_sets_nothing_off_unless_that_is_wanted(cast: Cast, plain: PublicForm) -> None:
    listen(cast, "form_submitted", {})
    submit(enter(plain))
    carry_on()
    assert Happening.objects.count() == 1 and not Run.objects.exists()


def test_nothing_is_kept_where_nobody_listens_and_another_form_is_not_meant(
    cast: Cast, plain: PublicForm, published: PublicForm
) -> None:
    submit(enter(plain))
    assert not Happening.objects.exists()
    listen(cast, "form_submitted", {"form": str(published.pk), "any_number": True})
    submit(enter(plain))
    carry_on()
    assert not Run.objects.exists()


def test_questions_are_fields_with_types(cast: Cast, published: PublicForm) -> None:
    trigger = trigger_of("form_submitted")
    assert trigger is not None
    fields = {one.path: one for one in trigger.fields(Scope(cast.organization), {"form": str(published.pk)})}
    assert fields["trigger.answer.f7"].type == Type.NUMBER and fields["trigger.answer.f9"].type == Type.YES_NO
    assert fields["trigger.answer.f6"].type == Type.DATE and fields["trigger.answer.f2"].type == Type.PHONE
    assert fields["trigger.answer.f4"].choices == ("S", "M", "L")
    assert "trigger.answer.f1" not in {
        one.path for one in trigger.fields(Scope(cast.other), {"form": str(published.pk)})
    }


def test_what_a_trigger_lacks_is_said(cast: Cast, plain: PublicForm, form: PublicForm) -> None:
    def found(organization: Any, trigger: str, settings: dict[str, Any]) -> str:
        flow = Flow(trigger=trigger, trigger_settings=settings, nodes=(NodeSpec("n1", "stop"),), count=1)
        return " ".join(problem.text for problem in problems_of(organization, flow))

    mine, theirs = make_portal(cast.organization), make_portal(cast.other, slug="theirs")
    role = theirs.roles.create(name="Staff")
    own_role = make_portal(cast.organization, slug="second").roles.create(name="Guests")
    assert "does not prove the number" in found(cast.organization, "form_submitted", {"form": str(plain.pk)})
    assert "not published" in found(cast.organization, "form_submitted", {"form": str(form.pk)})
    assert "was deleted" in found(cast.other, "form_submitted", {"form": str(plain.pk)})
    assert "was deleted" in found(cast.organization, "portal_invited", {"portal": str(theirs.pk)})
    assert "no such role" in found(cast.organization, "portal_invited", {"role": str(role.pk)})
    crossed = {"portal": str(mine.pk), "role": str(own_role.pk)}
    assert "another portal" in found(cast.organization, "portal_approved", crossed)
    assert found(cast.organization, "portal_approved", {"portal": str(mine.pk)}) == ""


@pytest.mark.parametrize(("admission", "status"), [("open", "active"), ("approval", "waiting")])
def test_who_registers_sets_a_run_off_with_their_answers(
    cast: Cast, connection: Any, admission: str, status: str
) -> None:
    portal, other = make_portal(cast.organization, admission=admission), make_portal(cast.organization, slug="second")
    role = portal.roles.create(name="Guests", is_default=True)
    foreign = other.roles.create(name="Staff")
    listen(cast, "portal_registered", {"portal": str(portal.pk), "role": str(role.pk)})
    listen(cast, "portal_registered", {"portal": str(other.pk)}, name="Of another portal")
    listen(cast, "portal_registered", {"role": str(foreign.pk)}, name="Of another role")
    listen(cast, "portal_registered", {}, name="Any")
    visitor = Visitor(portal).open().ask()
    visitor.enter(own_code_of(PHONE)).fill(f2="B-AD 1")
    carry_on()
    runs = {run.automation.name: run for run in Run.objects.select_related("automation")}
    assert set(runs) == {"portal_registered", "Any"}
    run = runs["portal_registered"]
    assert (run.phone, run.contact, run.status) == (PHONE, portal.users.get().contact, "done")
    told = run.data["trigger"]
    assert told["answer"] == {"f1": "Ada Lovelace", "f2": "B-AD 1"}
    assert (told["status"], told["role"], told["portal"], told["name"]) == (status, "Guests", "Drivers", "Ada Lovelace")
    trigger = trigger_of("portal_registered")
    assert trigger is not None
    known = {one.path for one in trigger.fields(Scope(cast.organization), {"portal": str(portal.pk)})}
    assert {f"trigger.{name}" for name in told if name != "answer"} - known <= {"trigger.portal_id", "trigger.role_id"}
    assert "trigger.answer.f2" in known


def test_decisions_about_people_set_runs_off(cast: Cast, connection: Any) -> None:
    portal = make_portal(cast.organization, admission="approval")
    listen(cast, "portal_approved", {"portal": str(portal.pk)})
    listen(cast, "portal_rejected", {})
    first = make_person(portal, phone="+4915100000001", status="waiting")
    second = make_person(portal, phone="+4915100000002", status="waiting")
    people.approve([first], actor=cast.admin)
    people.reject([second], reason="Unknown plate", actor=cast.admin)
    people.approve([first], actor=cast.admin)  # a second press
    carry_on()
    runs = {run.automation.name: run for run in Run.objects.select_related("automation")}
    assert len(runs) == Run.objects.count() == 2
    assert runs["portal_approved"].phone == "+4915100000001"
    assert runs["portal_approved"].data["trigger"]["status"] == "active"
    assert runs["portal_rejected"].data["trigger"]["reason"] == "Unknown plate"


def test_an_invitation_sets_a_run_off_only_for_its_portal_and_role(cast: Cast, connection: Any) -> None:
    portal, other = make_portal(cast.organization), make_portal(cast.organization, slug="second")
    role = portal.roles.create(name="Staff")
    listen(cast, "portal_invited", {"portal": str(portal.pk), "role": str(role.pk)})
    invite(portal, phone="+4915100000001", role=role, actor=cast.admin)
    invite(portal, phone="+4915100000002", actor=cast.admin)
    invite(other, phone="+4915100000003", actor=cast.admin)
    carry_on()
    run = Run.objects.get()
    assert run.phone == "+4915100000001" and run.data["trigger"]["role"] == "Staff"
    assert "link" not in run.data["trigger"] and timezone.now() > run.created_at


def test_files_name_forms_and_portals(cast: Cast, plain: PublicForm) -> None:
    portal = make_portal(cast.organization)
    settings = {"form": str(plain.pk), "portal": str(portal.pk), "other": 1}
    told, rows = named(cast.organization, settings)
    assert told == {
        "form": {"$": "form", "name": "Callback"}, "portal": {"$": "portal", "name": "Drivers"}, "other": 1,
    }  # fmt: skip
    assert rows == [plain, portal] and resolved(cast.organization, told) == (settings, [])
    nothing, missing = resolved(cast.other, told)
    assert nothing == {"other": 1} and [str(one) for one in missing] == ["the form “Callback”", "the portal “Drivers”"]
