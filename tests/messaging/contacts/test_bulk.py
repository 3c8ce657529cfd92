"""The same with many contacts: asked about, done as a job, taken back; and only with those who were meant."""

import uuid
from typing import Any

import pytest

from integrations.organizations.models import AuditEntry
from messaging.consent.opt_outs import STOP_TAG
from messaging.contacts import bulk
from messaging.contacts.address_book import ContactProblem
from messaging.contacts.bulk import Choice
from messaging.contacts.filters import ContactFilter
from messaging.contacts.models import Contact, Tag, TaggedInJob
from messaging.jobs import work
from messaging.jobs.models import Job
from messaging.sending.models import Message
from tests.conftest import Cast
from tests.factories import ContactFactory, MessageFactory


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "_SLICE", dict.fromkeys(bulk._SLICE, 2))


@pytest.fixture
def five(cast: Cast) -> list[Contact]:
    ContactFactory(organization=cast.other, name="Anna Elsewhere")
    return [ContactFactory(organization=cast.organization, name=f"Anna {n}") for n in range(5)]


def finish(job: Job) -> Job:
    assert work.run(job.pk)
    job.refresh_from_db()
    assert job.state == Job.State.DONE, job.error
    return job


def start(cast: Cast, kind: str, choice: Choice, **more: Any) -> Job:
    return bulk.start_bulk(cast.organization, kind=kind, choice=choice, total=9, actor=cast.agent, **more)


def tagged(name: str) -> set[str]:
    return set(Contact.objects.filter(tags__name=name).values_list("name", flat=True))


def test_all_that_fit_are_tagged_and_who_comes_later_is_not(cast: Cast, five: list[Contact]) -> None:
    choice = bulk.choose_all(cast.organization, ContactFilter(query="anna"))
    ContactFactory(organization=cast.organization, name="Anna Late")
    ContactFactory(organization=cast.organization, name="Ben")
    job = finish(start(cast, bulk.TAG, choice, tag_name="VIP"))
    assert tagged("VIP") == {f"Anna {n}" for n in range(5)}
    assert (job.done, job.percent) == (5, 100)
    assert "anna" not in str(job.params)  # what was searched for is somebody's name
    entry = AuditEntry.objects.get(action="contacts.tag")
    assert entry.changes == {"count": "9", "tag": "VIP"}


def test_undoing_takes_the_tag_from_those_only_who_got_it(cast: Cast, five: list[Contact]) -> None:
    vip = Tag.objects.create(organization=cast.organization, name="VIP")
    five[0].tags.add(vip)
    job = finish(start(cast, bulk.TAG, bulk.choose([str(one.pk) for one in five[:3]]), tag_name="vip"))
    assert tagged("VIP") == {"Anna 0", "Anna 1", "Anna 2"}
    assert bulk.can_undo(job)
    finish(bulk.undo(job, actor=cast.agent))
    assert tagged("VIP") == {"Anna 0"}
    assert not bulk.can_undo(job)
    assert not TaggedInJob.objects.exists()


def test_a_slice_done_twice_tags_nobody_twice(cast: Cast, five: list[Contact]) -> None:
    job = start(cast, bulk.TAG, bulk.choose([str(one.pk) for one in five]), tag_name="VIP")
    finish(job)
    Job.objects.filter(pk=job.pk).update(state=Job.State.WAITING, cursor={}, done=0)
    finish(job)
    assert TaggedInJob.objects.filter(job_id=job.pk).count() == 5


def test_a_tag_is_taken_away_and_contacts_are_deleted(cast: Cast, five: list[Contact]) -> None:
    vip = Tag.objects.create(organization=cast.organization, name="VIP")
    for contact in five:
        contact.tags.add(vip)
    finish(start(cast, bulk.UNTAG, bulk.choose([str(five[0].pk), "nonsense"]), tag_name="VIP"))
    assert tagged("VIP") == {f"Anna {n}" for n in range(1, 5)}
    message = MessageFactory(organization=cast.organization, contact=five[1], phone=five[1].phone)
    finish(start(cast, bulk.DELETE, bulk.choose_all(cast.organization, ContactFilter(tags_all=(vip.pk,)))))
    assert set(Contact.objects.values_list("name", flat=True)) == {"Anna 0", "Anna Elsewhere"}
    assert Message.objects.get(pk=message.pk).phone == five[1].phone


def test_ids_of_another_organization_are_left_alone(cast: Cast, five: list[Contact]) -> None:
    theirs = Contact.objects.get(organization=cast.other)
    finish(start(cast, bulk.DELETE, bulk.choose([str(theirs.pk), str(uuid.uuid4())])))
    assert Contact.objects.filter(pk=theirs.pk).exists()


@pytest.mark.parametrize(("name", "code"), [("", "empty"), (STOP_TAG.lower(), "reserved"), ("x" * 61, "too_long")])
def test_a_bad_tag_starts_nothing(cast: Cast, five: list[Contact], name: str, code: str) -> None:
    with pytest.raises(ContactProblem) as problem:
        start(cast, bulk.TAG, bulk.choose([str(five[0].pk)]), tag_name=name)
    assert problem.value.code == code
    with pytest.raises(ContactProblem):
        start(cast, bulk.UNTAG, bulk.choose([str(five[0].pk)]), tag_name="Nobody has it")
    assert not Job.objects.exists()


def test_the_page_asks_with_the_number_and_then_works(cast: Cast, five: list[Contact]) -> None:
    client, url = cast.client("agent"), cast.url("contacts/bulk/")
    found = client.post(cast.url("contacts/"), {"q": "anna"})
    where = found.url.partition("?")[2]
    asked = client.post(f"{url}?{where}", {"action": "tag", "tag": "VIP", "scope": "all"})
    page = asked.content.decode()
    assert "Tag 5 contacts</button>" in page
    assert "anna" not in asked.request["QUERY_STRING"]
    until = asked.context["until"]
    ContactFactory(organization=cast.organization, name="Anna Late")
    confirmed = {"action": "tag", "tag": "VIP", "scope": "all", "until": str(until), "confirmed": "1"}
    confirmed["seen"] = asked.context["seen"]
    started = client.post(f"{url}?{where}", confirmed)
    job = finish(Job.objects.get())
    assert started.url == cast.url(f"contacts/work/{job.pk}/")
    assert tagged("VIP") == {f"Anna {n}" for n in range(5)}
    shown = client.get(started.url).content.decode()
    assert "Undo: take the tag VIP away again" in shown
    undone = client.post(cast.url(f"contacts/work/{job.pk}/undo/"))
    finish(Job.objects.exclude(pk=job.pk).get())
    assert client.get(undone.url).status_code == 200
    assert tagged("VIP") == set()


def test_deleting_names_the_consequence_and_nothing_happens_before_it_is_confirmed(
    cast: Cast, five: list[Contact]
) -> None:
    client, url = cast.client("agent"), cast.url("contacts/bulk/")
    page = client.post(url, {"action": "delete", "contact": [str(one.pk) for one in five[:2]]}).content.decode()
    assert "Delete 2 contacts</button>" in page
    assert not Job.objects.exists()
    assert client.post(url, {"action": "delete"}).url.startswith(cast.url("contacts/"))
    assert client.post(url, {"action": "nonsense", "contact": str(five[0].pk)}).status_code == 302
    assert client.post(url, {"action": "tag", "contact": str(five[0].pk)}).status_code == 302  # which tag?


@pytest.mark.parametrize(("who", "status"), [("viewer", 403), ("stranger", 404), (None, 302)])
def test_only_agents_and_above_work_on_many(cast: Cast, five: list[Contact], who: str | None, status: int) -> None:
    data = {"action": "delete", "contact": str(five[0].pk), "confirmed": "1"}
    assert cast.client(who).post(cast.url("contacts/bulk/"), data).status_code == status
    assert not Job.objects.exists()


def test_another_organizations_work_is_not_found(cast: Cast, five: list[Contact]) -> None:
    job = finish(start(cast, bulk.TAG, bulk.choose([str(five[0].pk)]), tag_name="VIP"))
    client = cast.client("stranger")
    for path in (f"contacts/work/{job.pk}/", f"contacts/work/{job.pk}/undo/"):
        assert client.post(cast.url(path, cast.other)).status_code in {404, 405}
        assert client.get(cast.url(path, cast.other)).status_code in {404, 405}


def test_what_is_confirmed_is_what_was_asked_about(cast: Cast, five: list[Contact]) -> None:
    client, url = cast.client("agent"), cast.url("contacts/bulk/")
    where = client.post(cast.url("contacts/"), {"q": "Anna 1"}).url.partition("?")[2]
    asked = client.post(f"{url}?{where}", {"action": "delete", "scope": "all"})
    assert "Delete 1 contact</button>" in asked.content.decode()
    # Another tab searches on, under the key that the address of the list has.
    shown = {"HX-Request": "true", "HX-Current-URL": f"https://testserver{cast.url('contacts/')}?{where}"}
    client.post(cast.url("contacts/"), {"q": "Anna"}, headers=shown)
    confirmed = {"action": "delete", "scope": "all", "confirmed": "1", "seen": asked.context["seen"]}
    answer = client.post(f"{url}?{where}", confirmed)
    assert answer.status_code == 422
    assert "Read it again" in answer.content.decode()
    assert "Delete 5 contacts</button>" in answer.content.decode()
    assert not Job.objects.exists()


@pytest.mark.parametrize("asked", ["search=forgotten", "filter=01a21508-8572-7259-8f34-5fdef1110864", "tag=nonsense"])
def test_a_forgotten_search_is_not_taken_for_everybody(cast: Cast, five: list[Contact], asked: str) -> None:
    client = cast.client("agent")
    for more in ({}, {"confirmed": "1", "seen": "", "typed": "erase"}):
        answer = client.post(f"{cast.url('contacts/bulk/')}?{asked}", {"action": "erase", "scope": "all", **more})
        assert answer.status_code == 302
    name, _, value = asked.partition("=")
    assert client.post(cast.url("contacts/export/"), {name: value}).status_code == 302
    assert not Job.objects.exists()
    assert Contact.objects.filter(organization=cast.organization).count() == 5
