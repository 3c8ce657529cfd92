"""Phone numbers of members: who writes, sees, finds and removes them."""

import pytest
from django.db import DatabaseError, transaction

from integrations.organizations.audit_sentences import line_of
from integrations.organizations.membership import change_role, leave, remove_member, set_phone
from integrations.organizations.models import AuditEntry, Member
from integrations.organizations.problems import OrganizationProblem
from integrations.organizations.registry import Writer, register_writers, writers_to
from tests.conftest import Cast
from tests.factories import MemberFactory

pytestmark = pytest.mark.django_db

PHONE, OTHER = "+4915112345678", "+4915112345699"
SHOWN = "+49 1511 2345678"


def write(member: Member, phone: str = PHONE) -> None:
    Member.objects.filter(pk=member.pk).update(phone=phone)


def phone_of(cast: Cast, who: str) -> str:
    return cast.member(who).phone


@pytest.mark.parametrize("phone", ["0151", "+49 151", "+4915112345678901", "+1a"])
def test_the_database_keeps_whole_numbers_or_none(cast: Cast, phone: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        write(cast.member("agent"), phone)
    write(cast.member("agent"), "")


@pytest.mark.parametrize("who", ["owner", "admin", "agent", "viewer"])
def test_everybody_keeps_their_own_number(cast: Cast, who: str) -> None:
    client, url = cast.client(who), cast.url("members/me/")
    assert "No automation writes to you at present." in client.get(url).content.decode()
    assert client.post(url, {"phone": "0151 12345678"})["Location"] == url
    assert phone_of(cast, who) == PHONE
    page = client.get(url).content.decode()
    assert f'value="{SHOWN}"' in page and "Your phone number is saved." in page
    client.post(url, {"phone": OTHER})
    client.post(url, {"phone": ""})
    assert phone_of(cast, who) == ""
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == [
        "member.phone_added", "member.phone_changed", "member.phone_removed",
    ]  # fmt: skip


def test_the_way_to_it_stands_under_ones_own_name(cast: Cast) -> None:
    client = cast.client("viewer")
    assert f'href="{cast.url("members/me/")}">Your phone number' in client.get(cast.url("")).content.decode()
    assert "Your phone number" not in client.get("/organizations/").content.decode()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("12", "too short"),
        ("nobody", "no letters"),
        ("+1 500 555 0006", "test numbers"),
        ("+49 900 1234567", "cost extra"),
    ],
)
def test_what_is_no_number_of_a_person_is_refused_and_kept_in_the_field(cast: Cast, typed: str, words: str) -> None:
    for who, path in (("agent", "members/me/"), ("owner", f"members/{cast.member('agent').pk}/phone/")):
        page = cast.client(who).post(cast.url(path), {"phone": typed})
        assert page.status_code == 422
        assert words in page.content.decode() and f'value="{typed}"' in page.content.decode()
    assert phone_of(cast, "agent") == "" and not AuditEntry.objects.exists()


@pytest.mark.parametrize("who", ["owner", "admin"])
def test_who_manages_members_keeps_those_of_colleagues(cast: Cast, who: str) -> None:
    agent = cast.member("agent")
    client, url = cast.client(who), cast.url(f"members/{agent.pk}/phone/")
    assert client.post(url, {"phone": "+49 151 12345678"})["Location"] == cast.url("members/")
    assert phone_of(cast, "agent") == PHONE
    assert SHOWN in client.get(cast.url(f"members/{agent.pk}/")).content.decode()
    assert client.post(url).status_code == 302  # the button that removes sends nothing else
    assert phone_of(cast, "agent") == ""
    entries = AuditEntry.objects.order_by("id")
    assert [entry.action for entry in entries] == ["member.phone_added", "member.phone_removed"]
    assert {entry.actor_id for entry in entries} == {cast.member(who).user_id}


@pytest.mark.parametrize("who", ["agent", "viewer"])
def test_colleagues_neither_write_nor_see_those_of_others(cast: Cast, who: str) -> None:
    owner = cast.member("owner")
    write(owner)
    client = cast.client(who)
    for path in (f"members/{owner.pk}/phone/", f"members/{owner.pk}/", "members/"):
        assert client.post(cast.url(path), {"phone": OTHER}).status_code == 403
    assert "2345678" not in client.get(cast.url("members/me/")).content.decode().replace(" ", "")
    with pytest.raises(OrganizationProblem) as problem:
        set_phone(owner, phone="", actor=cast.member(who))
    assert problem.value.code == "not_allowed"
    assert phone_of(cast, "owner") == PHONE


def test_strangers_find_nothing(cast: Cast) -> None:
    agent = cast.member("agent")
    client = cast.client("stranger")
    assert client.get(cast.url("members/me/")).status_code == 404
    for organization in (cast.organization, cast.other):
        url = cast.url(f"members/{agent.pk}/phone/", organization)
        assert client.post(url, {"phone": OTHER}).status_code == 404
    assert phone_of(cast, "agent") == ""


def test_an_admin_removes_the_number_of_an_owner_and_writes_none(cast: Cast) -> None:
    owner = cast.member("owner")
    write(owner)
    client = cast.client("admin")
    page = client.get(cast.url(f"members/{owner.pk}/")).content.decode()
    assert "Only an owner may write down the number of an owner." in page
    assert "Remove the number" in page and "Save the number" not in page
    url = cast.url(f"members/{owner.pk}/phone/")
    refused = client.post(url, {"phone": OTHER})
    assert refused.status_code == 422 and "written by owners alone" in refused.content.decode()
    assert phone_of(cast, "owner") == PHONE
    client.post(url)
    assert phone_of(cast, "owner") == ""


def test_who_lost_the_role_meanwhile_writes_nothing(cast: Cast) -> None:
    stale = cast.member("admin")
    change_role(cast.member("admin"), role="viewer", actor=cast.member("owner"))
    with pytest.raises(OrganizationProblem) as problem:
        set_phone(cast.member("agent"), phone=PHONE, actor=stale)
    assert problem.value.code == "not_allowed" and phone_of(cast, "agent") == ""


def test_the_audit_log_says_who_and_no_whole_number(cast: Cast) -> None:
    agent = cast.member("agent")
    set_phone(agent, phone=PHONE, actor=cast.member("admin"), ip="203.0.113.7")
    set_phone(agent, phone=PHONE, actor=cast.member("admin"))  # the same again
    set_phone(agent, phone=OTHER, actor=agent)
    set_phone(agent, phone="", actor=cast.member("owner"))
    lines = [line_of(entry) for entry in AuditEntry.objects.order_by("id")]
    assert [(line.sentence, line.details) for line in lines] == [
        ("wrote down the phone number of Agent", [("phone", "+49•••••78")]),
        ("changed the phone number of Agent", [("phone", "+49•••••78 → +49•••••99")]),
        ("removed the phone number of Agent", [("phone", "+49•••••99")]),
    ]
    page = cast.client("owner").get(cast.url("audit/")).content.decode()
    assert "wrote down the phone number of Agent" in page and "2345678" not in page.replace(" ", "")


def test_the_list_shows_numbers_and_the_way_to_write_one(cast: Cast) -> None:
    write(cast.member("agent"))
    page = cast.client("admin").get(cast.url("members/")).content.decode()
    assert SHOWN in page
    viewer = cast.url(f"members/{cast.member('viewer').pk}/")
    assert f'href="{viewer}#phone">no number' in page


@pytest.mark.parametrize("typed", ["0151 1234 5678", "+4915112345678", "5678", "viewer@ACME", "Viewer"])
def test_the_list_is_searched_by_number_name_and_address_and_its_own_address_tells_nothing(
    cast: Cast, typed: str
) -> None:
    write(cast.member("viewer"))
    client = cast.client("owner")
    answer = client.post(cast.url("members/"), {"q": typed})
    assert answer.status_code == 302 and typed not in answer["Location"]
    found = client.get(answer["Location"]).content.decode()
    assert "viewer@acme.example" in found and "agent@acme.example" not in found
    part = client.post(cast.url("members/"), {"q": typed}, headers={"HX-Request": "true"})
    assert "viewer@acme.example" in part.content.decode() and "<h1" not in part.content.decode()
    assert part["HX-Replace-Url"].startswith(cast.url("members/?search="))


def test_numbers_of_another_organization_are_not_found(cast: Cast) -> None:
    write(Member.objects.get(organization=cast.other))
    client = cast.client("owner")
    found = client.post(cast.url("members/"), {"q": PHONE}, follow=True).content.decode()
    assert "Nobody like that" in found


def test_pages_of_a_search_keep_it(cast: Cast) -> None:
    for _ in range(51):
        MemberFactory(organization=cast.organization, role="agent", phone=PHONE)
    client = cast.client("owner")
    address = client.post(cast.url("members/"), {"q": "5678"})["Location"]
    key = address.partition("search=")[2]
    page = client.get(address).content.decode()
    assert f"?page=2&amp;search={key}" in page and "1–50 of 51" in page
    assert "51–51 of 51" in client.get(f"{address}&page=2").content.decode()


def test_all_records_show_and_find_it(cast: Cast) -> None:
    write(cast.member("agent"))
    client, url = cast.client("admin"), cast.url("admin/integrations/member/")
    assert SHOWN in client.get(url).content.decode()
    found = client.post(url, {"q": "5678"}, follow=True).content.decode()
    assert "agent@acme.example" in found and "viewer@acme.example" not in found


def test_the_number_goes_with_the_member(cast: Cast) -> None:
    for who in ("agent", "viewer"):
        write(cast.member(who))
    assert "Your phone number here is deleted." in cast.client("agent").get(cast.url("members/leave/")).content.decode()
    leave(cast.member("agent"))
    remove_member(cast.member("viewer"), actor=cast.member("owner"))
    assert not Member.objects.filter(phone=PHONE).exists()
    assert PHONE not in str(list(AuditEntry.objects.values_list("changes", flat=True)))


def test_pages_name_what_writes_to_the_member(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.organizations.registry._writer_sources", [])
    agent = cast.member("agent")

    def source(member: Member) -> list[Writer]:
        return [Writer("the alarm", "/alarm/")] if member == agent else []

    for _ in range(2):  # a source that is registered twice is asked once
        register_writers(source)
    assert len(writers_to(agent)) == 1
    write(agent)
    client = cast.client("owner")
    removal = client.get(cast.url(f"members/{agent.pk}/remove/")).content.decode()
    assert "The phone number is deleted." in removal
    assert 'Texts of <a href="/alarm/" dir="auto">the alarm</a> do not reach Agent any more.' in removal
    assert "Agent is written to by" in client.get(cast.url(f"members/{agent.pk}/")).content.decode()
    assert "You are written to by" in cast.client("agent").get(cast.url("members/me/")).content.decode()
    assert "the alarm" not in client.get(cast.url(f"members/{cast.member('viewer').pk}/remove/")).content.decode()
