"""Roles, removal, leaving: and always one owner."""

import threading

import pytest
from django.db import connection as db

from integrations.organizations.membership import change_role, leave, remove_member
from integrations.organizations.models import AuditEntry, Member
from integrations.organizations.problems import OrganizationProblem
from tests.conftest import Cast
from tests.factories import MemberFactory, OrganizationFactory, UserFactory


def test_owner_changes_a_role_and_it_is_written_down(cast: Cast) -> None:
    agent = cast.member("agent")
    response = cast.client("owner").post(cast.url(f"members/{agent.pk}/"), {"role": "admin"})
    assert response.status_code == 302
    agent.refresh_from_db()
    assert agent.role == "admin"
    entry = AuditEntry.objects.get(action="member.role_changed")
    assert entry.changes == {"role": ["agent", "admin"]}
    assert entry.actor_id == cast.owner.pk
    assert entry.organization == cast.organization


def test_same_role_again_writes_nothing(cast: Cast) -> None:
    change_role(cast.member("agent"), role="agent", actor=cast.member("owner"))
    assert not AuditEntry.objects.exists()


def test_admin_can_neither_make_nor_touch_owners(cast: Cast) -> None:
    admin, owner, agent = (cast.member(who) for who in ("admin", "owner", "agent"))
    for attempt in (
        lambda: change_role(agent, role="owner", actor=admin),
        lambda: change_role(owner, role="viewer", actor=admin),
        lambda: remove_member(owner, actor=admin),
    ):
        with pytest.raises(OrganizationProblem) as problem:
            attempt()
        assert problem.value.code == "owners_only"
    page = cast.client("admin").post(cast.url(f"members/{agent.pk}/"), {"role": "owner"})
    assert page.status_code == 200
    agent.refresh_from_db()
    assert agent.role == "agent"


def test_last_owner_cannot_step_down_leave_or_be_removed(cast: Cast) -> None:
    owner = cast.member("owner")
    for attempt in (
        lambda: change_role(owner, role="admin", actor=owner),
        lambda: remove_member(owner, actor=owner),
        lambda: leave(owner),
    ):
        with pytest.raises(OrganizationProblem) as problem:
            attempt()
        assert problem.value.code == "last_owner"
    response = cast.client("owner").post(cast.url("members/leave/"))
    assert response.status_code == 409
    assert "last owner" in response.content.decode()


def test_an_owner_who_may_not_sign_in_does_not_count(cast: Cast) -> None:
    MemberFactory(organization=cast.organization, user=UserFactory(is_active=False), role="owner")
    with pytest.raises(OrganizationProblem):
        leave(cast.member("owner"))


def test_with_a_second_owner_the_first_may_leave(cast: Cast) -> None:
    change_role(cast.member("admin"), role="owner", actor=cast.member("owner"))
    client = cast.client("owner")
    assert client.post(cast.url("members/leave/"))["Location"] == "/organizations/"
    assert client.get(cast.url("members/")).status_code == 404
    assert AuditEntry.objects.filter(action="member.left").count() == 1


def test_removal_names_its_consequence_and_ends_access(cast: Cast) -> None:
    agent = cast.member("agent")
    url = cast.url(f"members/{agent.pk}/remove/")
    client = cast.client("admin")
    asked = client.get(url).content.decode()
    assert "Remove Agent from Acme Logistics" in asked
    assert Member.objects.filter(pk=agent.pk).exists()
    assert client.post(url).status_code == 302
    assert cast.client("agent").get(cast.url("members/leave/")).status_code == 404
    assert client.post(url).status_code == 404  # a second click finds nobody
    assert AuditEntry.objects.filter(action="member.removed").count() == 1


def test_an_actor_who_lost_the_role_meanwhile_changes_nothing(cast: Cast) -> None:
    stale = cast.member("admin")
    change_role(cast.member("admin"), role="viewer", actor=cast.member("owner"))
    with pytest.raises(OrganizationProblem) as problem:
        change_role(cast.member("agent"), role="viewer", actor=stale)
    assert problem.value.code == "not_allowed"


def test_a_search_that_finds_nobody_says_so(cast: Cast) -> None:
    found = cast.client("owner").post(cast.url("members/"), {"q": "zz\x00zz"}, follow=True)
    assert "Nobody like that" in found.content.decode()


def test_members_page_asks_as_often_for_many_as_for_few(cast: Cast, django_assert_max_num_queries) -> None:
    for _ in range(30):
        MemberFactory(organization=cast.organization, role="agent")
    client = cast.client("owner")
    client.get(cast.url("members/"))
    with django_assert_max_num_queries(12):
        client.get(cast.url("members/"))


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_demote_each_other_at_once_leave_one() -> None:
    organization = OrganizationFactory()
    first, second = (MemberFactory(organization=organization, role="owner") for _ in range(2))
    start = threading.Barrier(2)
    problems: list[str] = []

    def demote(member: Member, actor: Member) -> None:
        start.wait(timeout=10)
        try:
            change_role(member, role="viewer", actor=actor)
        except OrganizationProblem as problem:
            problems.append(problem.code)
        finally:
            db.close()

    threads = [
        threading.Thread(target=demote, args=(first, second)),
        threading.Thread(target=demote, args=(second, first)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert Member.objects.filter(organization=organization, role="owner").count() == 1
    assert problems == ["not_allowed"]
