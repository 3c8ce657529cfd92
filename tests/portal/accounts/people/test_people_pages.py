"""Members' pages of a portal's people, as owners, agents, viewers and strangers meet them."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from integrations.connections.models import Connection
from messaging.consent.opt_outs import opt_out
from messaging.jobs import work
from messaging.jobs.models import Job
from messaging.sending.models import Message
from portal.accounts.batch_models import PortalInvitationBatch
from portal.accounts.invitations import invite
from portal.accounts.models import Portal, PortalInvitation, PortalNotification, PortalRole, PortalSending, PortalUser
from tests.conftest import Cast
from tests.factories import ContactFactory

from .conftest import NUMBERS, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def at(cast: Cast, portal: Portal) -> Any:
    """Return addresses of the portal's pages: `at("people")`, `at("person", user)`."""

    def address(name: str, *rows: Any) -> str:
        args = [portal.pk, *(row.pk for row in rows)]
        return cast.url(reverse(f"portals:{name}", args=args))

    return address


def run_jobs() -> None:
    for job in Job.objects.filter(state="waiting"):
        work.run(job.pk)
        job.refresh_from_db()
        assert job.state == "done", job.error


def words(response: Any) -> str:
    return " ".join(response.content.decode().split())


def test_the_list_finds_a_number_in_any_writing_and_keeps_it_out_of_the_address(
    cast: Cast, portal: Portal, at: Any
) -> None:
    person(portal, 1, name="Grete")
    person(portal, 2, name="Otto", status="suspended")
    client = cast.client("agent")
    answer = client.post(at("people"), {"query": "0151 / 123 456 01"})
    assert answer.status_code == 302
    assert "123456" not in answer["Location"]
    page = words(client.get(answer["Location"]))
    assert "Grete" in page
    assert "Otto" not in page
    assert "Otto" in words(client.get(at("people") + "?status=suspended"))
    found = client.post(at("people"), {"query": "company 9"}, follow=True)
    assert "Nobody fits" in words(found)


def test_viewers_and_strangers_see_no_people(cast: Cast, portal: Portal, at: Any) -> None:
    user = person(portal, 1, name="Grete")
    for name, rows in (("people", ()), ("person", (user,)), ("approvals", ()), ("invitations", ()), ("statistics", ())):
        assert cast.client("viewer").get(at(name, *rows)).status_code == 403
        assert cast.client(None).get(at(name, *rows)).status_code == 302
        assert cast.client("stranger").get(at(name, *rows)).status_code == 404
        foreign = at(name, *rows).replace(cast.organization.slug, cast.other.slug, 1)
        assert cast.client("stranger").get(foreign).status_code == 404


def test_the_queue_shows_answers_and_approves_in_bulk(cast: Cast, portal: Portal, at: Any) -> None:
    waiting = [person(portal, n, status="waiting", answers=True) for n in range(3)]
    client = cast.client("agent")
    page = words(client.get(at("approvals")))
    assert "3 people wait" in page
    assert "Company 1" in page
    answer = client.post(at("decide"), {"do": "approve", "person": [one.pk for one in waiting[:2]]}, follow=True)
    assert "2 people were approved" in words(answer)
    assert {one.status for one in PortalUser.objects.filter(pk__in=[waiting[0].pk, waiting[1].pk])} == {"active"}
    answer = client.post(at("decide"), {"do": "reject", "person": waiting[2].pk, "reason": "No licence"}, follow=True)
    assert "rejected" in words(answer)
    assert "No licence" in Message.objects.get(phone=waiting[2].phone).body
    again = client.post(at("decide"), {"do": "approve", "person": waiting[2].pk}, follow=True)
    assert "decided about already" in words(again)
    assert "Choose at least one" in words(client.post(at("decide"), {"do": "approve"}, follow=True))


def test_the_sidebar_counts_who_waits(cast: Cast, portal: Portal) -> None:
    for number in range(2):
        person(portal, number, status="waiting")
    items = cast.client("agent").get(cast.url("portals/")).context["sidebar_navigation"]
    badges = [item.get("badge") for group in items for item in group["items"] if item["title"] == "Portals"]
    assert badges == ["2"]
    items = cast.client("stranger").get(cast.url("portals/", cast.other)).context["sidebar_navigation"]
    assert not any(item.get("badge") for group in items for item in group["items"])


def test_a_decision_about_another_portals_people_finds_nobody(cast: Cast, portal: Portal, at: Any) -> None:
    from .conftest import make_portal

    foreign = person(make_portal(cast, name="Theirs", stranger=True), 1, status="waiting")
    cast.client("owner").post(at("decide"), {"do": "approve", "person": foreign.pk})
    foreign.refresh_from_db()
    assert foreign.status == "waiting"


def test_a_failed_text_is_shown_in_words_and_sent_again(cast: Cast, portal: Portal, at: Any) -> None:
    user = person(portal, 1, status="waiting", answers=True)
    client = cast.client("owner")
    kept = list(Connection.objects.all())
    Connection.objects.all().delete()
    answer = client.post(at("decide"), {"do": "approve", "person": user.pk}, follow=True)
    assert "could not be sent" in words(answer)
    page = words(client.get(at("person", user)))
    assert "Connect Twilio" in page
    assert "Send again" in page
    for one in kept:
        one.save(force_insert=True)
    sending = PortalSending.objects.get()
    assert "on its way again" in words(client.post(at("sending_again", user, sending), follow=True))
    assert "did not fail" in words(client.post(at("sending_again", user, sending), follow=True))
    assert Message.objects.count() == 1


def test_suspend_reinstate_role_and_take_out(cast: Cast, portal: Portal, at: Any) -> None:
    user, role = person(portal, 1), PortalRole.objects.create(portal=portal, name="Drivers")
    client = cast.client("agent")

    def do(**given: Any) -> str:
        page = words(client.post(at("person_do", user), given, follow=True))
        user.refresh_from_db()
        return page

    assert "Suspended" in do(do="suspend", reason="Unpaid")
    assert user.status == "suspended"
    assert "Nothing was changed" in do(do="suspend")
    assert "Let in again" in do(do="reinstate")
    do(do="role", role=role.pk)
    assert user.role == role
    do(do="remove")
    assert user.status == "left"


def test_erasing_asks_first(cast: Cast, portal: Portal, at: Any) -> None:
    user = person(portal, 1, name="Grete", answers=True)
    client = cast.client("owner")
    assert "cannot be undone" in words(client.get(at("person_erase", user)))
    user.refresh_from_db()
    assert user.phone
    client.post(at("person_erase", user))
    user.refresh_from_db()
    assert user.phone == ""
    page = words(client.get(at("person", user)))
    assert "Grete" not in page
    assert "was erased" in page


def test_inviting_by_hand_says_what_is_wrong_at_the_field(cast: Cast, portal: Portal, at: Any) -> None:
    client = cast.client("agent")
    refused = client.post(at("invite"), {"phone": "12", "name": "Ada"})
    assert refused.status_code == 422
    assert "too short" in words(refused)
    assert "Ada" in words(refused)
    answer = client.post(at("invite"), {"phone": "0151 12345601", "name": "Ada"}, follow=True)
    assert "Ada is invited" in words(answer)
    assert "invited already" in words(client.post(at("invite"), {"phone": NUMBERS[1]}))
    opt_out(cast.organization, phone=NUMBERS[2], source="staff")
    assert "opted out" in words(client.post(at("invite"), {"phone": NUMBERS[2]}))
    assert Message.objects.count() == 1


def test_an_invitation_is_sent_again_and_taken_back(cast: Cast, portal: Portal, at: Any) -> None:
    invitation = invite(portal, phone=NUMBERS[1], name="Ada", actor=cast.owner)
    client = cast.client("agent")
    assert "Ada" in words(client.get(at("invitations") + "?state=open"))
    assert "a moment ago" in words(client.post(at("invitation_resend", invitation), follow=True))
    assert "Taken back" in words(client.post(at("invitation_revoke", invitation), follow=True))
    assert "taken back" in words(client.post(at("invitation_resend", invitation), follow=True))
    assert Message.objects.count() == 1


def test_a_file_is_checked_row_by_row_before_anything_is_sent(cast: Cast, portal: Portal, at: Any) -> None:
    PortalRole.objects.create(portal=portal, name="Drivers")
    opt_out(cast.organization, phone=NUMBERS[3], source="staff")
    person(portal, 4)
    table = "\n".join([
        "Phone,Name,Role,Language",
        f"{NUMBERS[1]},Ada,drivers,de",
        "0151 12345601,Again,,",
        f"{NUMBERS[2]},Bea,Pilots,",
        f"{NUMBERS[3]},Out,,",
        f"{NUMBERS[4]},In,,",
        "12,Short,,",
        f"{NUMBERS[5]},Eva,,fr",
        f"{NUMBERS[6]},Finn,,English",
    ])  # fmt: skip
    client = cast.client("agent")
    file = SimpleUploadedFile("drivers.csv", table.encode(), content_type="text/csv")
    answer = client.post(at("invite_file"), {"file": file}, follow=True)
    assert "Which column holds what" in words(answer)
    columns = {"column_phone": "0", "column_name": "1", "column_role": "2", "column_language": "3"}
    batch = PortalInvitationBatch.objects.get()
    client.post(at("batch_columns", batch), columns)
    run_jobs()
    page = words(client.get(at("batch", batch)))
    assert "Invite 2 people" in page
    for said in (
        "stands in row 2",
        "no role “Pilots”",
        "The recipient opted out",
        "in the portal already",
        "too short",
        "does not speak “fr”",
    ):
        assert said in page
    assert not Message.objects.exists()
    client.post(at("batch_do", batch), {"do": "send"})
    client.post(at("batch_do", batch), {"do": "send"})
    run_jobs()
    assert set(Message.objects.values_list("phone", flat=True)) == {NUMBERS[1], NUMBERS[6]}
    ada = PortalUser.objects.get(phone=NUMBERS[1])
    assert (ada.name, ada.language, str(ada.role), ada.status) == ("Ada", "de", "Drivers", "invited")
    assert PortalInvitation.objects.filter(source="file").count() == 2
    assert "2 invited" in " ".join(words(client.get(at("invitations"))).split())


def test_contacts_with_a_tag_are_invited_once(cast: Cast, portal: Portal, at: Any) -> None:
    tag = cast.organization.tags.create(name="Drivers")
    for n in range(3):
        ContactFactory(organization=cast.organization, phone=NUMBERS[n], name=f"C {n}").tags.add(tag)
    ContactFactory(organization=cast.organization, phone=NUMBERS[8])
    invite(portal, phone=NUMBERS[0], actor=cast.owner)
    client = cast.client("owner")
    assert client.post(at("invite_contacts"), {"whom": "tag"}).status_code == 422
    client.post(at("invite_contacts"), {"whom": "tag", "tag": tag.pk})
    run_jobs()
    batch = PortalInvitationBatch.objects.get()
    client.post(at("batch_do", batch), {"do": "send"})
    run_jobs()
    batch.refresh_from_db()
    assert (batch.state, batch.invited) == ("done", 2)
    assert Message.objects.count() == 3


def test_a_notification_is_looked_at_and_reaches_each_once(cast: Cast, portal: Portal, at: Any) -> None:
    role = PortalRole.objects.create(portal=portal, name="Drivers")
    drivers = [person(portal, n, role=role) for n in range(3)]
    person(portal, 3)
    person(portal, 4, role=role, status="suspended")
    opt_out(cast.organization, phone=drivers[0].phone, source="staff")
    client = cast.client("agent")
    given = {"audience": "role", "role": role.pk, "text": "Gate 4 is closed."}
    assert "Write what they shall read" in words(client.post(at("notify"), {**given, "text": " ", "do": "look"}))
    look = client.post(at("notify"), {**given, "do": "look"})
    assert "2 people get it" in words(look)
    assert "1 opted out" in words(look)
    assert not PortalNotification.objects.exists()
    sent = {**given, "do": "send", "request_id": str(look.context["request_id"])}
    client.post(at("notify"), sent)
    client.post(at("notify"), sent)
    row = PortalNotification.objects.get()
    run_jobs()
    assert list(Message.objects.exclude(status="blocked").values_list("phone", flat=True).order_by("phone")) == [
        drivers[1].phone,
        drivers[2].phone,
    ]
    page = words(client.get(at("notification", row)))
    assert "Driver 0" in page
    assert "opted out" in page


def test_the_language_of_somebody_is_named(cast: Cast, portal: Portal, at: Any) -> None:
    user = person(portal, 1)
    for language, name in (("de", "Deutsch"), ("", "not known")):
        PortalUser.objects.update(language=language)
        assert f"<dt>Language</dt><dd>{name}</dd>" in words(cast.client("owner").get(at("person", user)))


def test_one_person_is_written_to_from_their_page(cast: Cast, portal: Portal, at: Any) -> None:
    user = person(portal, 1, name="Grete")
    person(portal, 2)
    client = cast.client("owner")
    look = client.post(at("notify"), {"person": user.pk, "text": "Hello", "do": "look"})
    assert "1 person gets it" in words(look)
    request_id = str(look.context["request_id"])
    client.post(at("notify"), {"person": user.pk, "text": "Hello", "do": "send", "request_id": request_id})
    run_jobs()
    assert Message.objects.get().phone == user.phone


def test_a_portal_that_is_off_writes_to_nobody(cast: Cast, portal: Portal, at: Any) -> None:
    person(portal, 1)
    Portal.objects.update(is_on=False)
    look = cast.client("owner").post(at("notify"), {"text": "Hello", "do": "look"})
    sent = {"text": "Hello", "do": "send", "request_id": str(look.context["request_id"])}
    assert "switched off" in words(cast.client("owner").post(at("notify"), sent))
    assert not PortalNotification.objects.exists()


def test_people_are_exported(cast: Cast, portal: Portal, at: Any) -> None:
    person(portal, 1, name="=1+1", answers=True)
    person(portal, 2, name="Otto")
    client = cast.client("agent")
    client.post(at("people_export"))
    run_jobs()
    export = portal.form.exports.get()
    table = b"".join(client.get(at("people_download", export)).streaming_content).decode("utf-8-sig")
    assert "Company 1" in table
    assert "Otto" in table
    assert ",=1+1" not in table
    assert table.count("Number,Name") == 1


def test_figures_by_day_and_country(cast: Cast, portal: Portal, at: Any, django_assert_max_num_queries: Any) -> None:
    from django.utils import timezone

    user = person(portal, 1, registered_at=timezone.now())
    user.portal.logins.create(user=user, how="code", outcome="in", region="DE")
    invite(portal, phone=NUMBERS[2], actor=cast.owner)
    client = cast.client("owner")
    with django_assert_max_num_queries(60):
        page = words(client.get(at("statistics")))
    assert '<strong>1</strong><span class="hg-soft">registered' in page
    assert "Germany" in page
    assert "of 1 invitation accepted" in page


def test_lists_cost_the_same_for_one_and_for_many(
    cast: Cast, portal: Portal, at: Any, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = cast.client("owner")
    role = PortalRole.objects.create(portal=portal, name="Drivers")
    person(portal, 0, status="waiting", answers=True, role=role)
    invite(portal, phone=NUMBERS[20], actor=cast.owner)
    counts = []
    for more in (range(0), range(1, 6)):
        for n in more:
            person(portal, n, status="waiting", answers=True, role=role)
            invite(portal, phone=NUMBERS[20 + n], actor=cast.owner)
        for name in ("people", "approvals", "invitations"):
            client.get(at(name))
            with CaptureQueriesContext(
                connection,
            ) as asked:
                client.get(at(name))
            counts.append(len(asked))
    assert counts[:3] == counts[3:]
