"""The list with its filters: asked by POST, kept in the session, saved under a name for everybody."""

import pytest

from integrations.organizations.models import AuditEntry
from messaging.contacts.models import AttributeDefinition, Contact, SavedFilter, Tag
from messaging.contacts.quick_count import quick_count
from tests.conftest import Cast
from tests.factories import ContactFactory

HTMX = {"HX-Request": "true"}


@pytest.fixture
def people(cast: Cast) -> Tag:
    tag = Tag.objects.create(organization=cast.organization, name="VIP")
    for name, region, points in (("Anna", "DE", 5), ("Ben", "FR", 50), ("Carla", "FR", 5)):
        contact = ContactFactory(
            organization=cast.organization, name=name, region=region, attributes={"points": points}
        )
        if name != "Carla":
            contact.tags.add(tag)
    AttributeDefinition.objects.create(organization=cast.organization, key="points", label="Points", kind="number")
    return tag


def names(page: str) -> set[str]:
    return {name for name in ("Anna", "Ben", "Carla") if f">{name}</a>" in page}


def test_conditions_narrow_the_list_together_and_are_said_in_words(cast: Cast, people: Tag) -> None:
    client = cast.client("viewer")
    data = {"countries": ["FR"], "tags_all": [str(people.pk)], "key_1": "points", "op_1": "above", "value_1": "10"}
    response = client.post(cast.url("contacts/"), data)
    assert response.status_code == 302
    page = client.get(response.url).content.decode()
    assert names(page) == {"Ben"}
    for words in ("tagged VIP", "in France", "Points is above or after 10"):
        assert words in page
    live = client.post(cast.url("contacts/"), {"countries": ["FR"]}, headers=HTMX)
    assert names(live.content.decode()) == {"Ben", "Carla"}
    assert "<html" not in live.content.decode()
    count = client.get(cast.url("contacts/count/") + "?" + live["HX-Replace-Url"].partition("?")[2])
    assert count.content.decode().strip() == "2 contacts"


@pytest.mark.parametrize(
    "data",
    [{"key_1": "points", "op_1": "is", "value_1": "many"}, {"key_1": "points", "op_1": "begins", "value_1": "5"},
     {"created_since": "soon"}, {"created_since": "2026-05-02", "created_until": "2026-05-01"},
     {"tags_any": ["nonsense"]}, {"countries": ["XX"]}, {"opted_out": "perhaps"}, {"imported_in": "x"},
     {"key_1": "points", "op_1": "is", "value_1": ""}],
)  # fmt: skip
def test_a_condition_that_makes_no_sense_is_said_and_nothing_breaks(
    cast: Cast, people: Tag, data: dict[str, object]
) -> None:
    client = cast.client("viewer")
    full = client.post(cast.url("contacts/"), data)
    assert full.status_code == 422
    assert b"hg-field-wrong" in full.content
    part = client.post(cast.url("contacts/"), data, headers=HTMX)
    assert part.status_code == 200
    assert b'role="alert"' in part.content


def test_a_filter_is_saved_seen_by_colleagues_changed_and_deleted(cast: Cast, people: Tag) -> None:
    client = cast.client("agent")
    where = client.post(cast.url("contacts/"), {"countries": ["FR"]}).url.partition("?")[2]
    saved = client.post(cast.url("contacts/filters/save/") + f"?{where}", {"name": " French  people "})
    row = SavedFilter.objects.get()
    assert (row.name, row.wanted, row.created_by_id) == ("French people", {"countries": ["FR"]}, cast.agent.pk)
    assert saved.url.endswith(f"?filter={row.pk}")
    colleague = cast.client("viewer")
    assert names(colleague.get(saved.url).content.decode()) == {"Ben", "Carla"}
    listed = colleague.get(cast.url("contacts/filters/")).content.decode()
    assert "French people" in listed
    assert "Agent" in listed
    assert "in France" in listed
    again = client.post(cast.url("contacts/filters/save/") + f"?{where}", {"name": "FRENCH people"}, follow=True)
    assert "There is a filter of this name already" in again.content.decode()
    edit = cast.url(f"contacts/filters/{row.pk}/")
    assert client.post(edit, {"name": "Germans", "countries": ["DE"]}).status_code == 302
    row.refresh_from_db()
    assert (row.name, row.wanted) == ("Germans", {"countries": ["DE"]})
    assert client.post(edit, {"name": "", "countries": ["DE"]}).status_code == 422
    assert client.post(edit, {"name": "All"}).status_code == 422
    delete = cast.url(f"contacts/filters/{row.pk}/delete/")
    assert "gone for everybody" in client.get(delete).content.decode()
    client.post(delete)
    assert not SavedFilter.objects.exists()
    assert Contact.objects.filter(organization=cast.organization).count() == 3
    assert AuditEntry.objects.filter(action="saved_filter.deleted").exists()
    assert client.post(delete).status_code == 404


def test_an_empty_filter_or_one_without_a_name_is_not_saved(cast: Cast, people: Tag) -> None:
    client = cast.client("agent")
    client.post(cast.url("contacts/filters/save/"), {"name": "Everybody"})
    where = client.post(cast.url("contacts/"), {"countries": ["FR"]}).url.partition("?")[2]
    client.post(cast.url("contacts/filters/save/") + f"?{where}", {"name": "  "})
    assert not SavedFilter.objects.exists()


@pytest.mark.parametrize(("who", "status"), [("viewer", 403), ("stranger", 404), (None, 302)])
def test_only_agents_and_above_change_filters(cast: Cast, people: Tag, who: str | None, status: int) -> None:
    row = SavedFilter.objects.create(organization=cast.organization, name="x", wanted={"countries": ["FR"]})
    client = cast.client(who)
    for path in ("save/", f"{row.pk}/", f"{row.pk}/delete/"):
        assert client.post(cast.url(f"contacts/filters/{path}"), {"name": "y"}).status_code == status
    row.refresh_from_db()
    assert row.name == "x"


def test_another_organizations_filter_is_not_applied(cast: Cast, people: Tag) -> None:
    theirs = SavedFilter.objects.create(organization=cast.other, name="x", wanted={"countries": ["FR"]})
    page = cast.client("viewer").get(cast.url("contacts/"), {"filter": str(theirs.pk)}).content.decode()
    assert names(page) == {"Anna", "Ben", "Carla"}
    assert cast.client("agent").get(cast.url(f"contacts/filters/{theirs.pk}/")).status_code == 404


def test_counting_gives_up_after_a_moment(cast: Cast, people: Tag) -> None:
    slow = Contact.objects.extra(where=["pg_sleep(0.2) IS NOT NULL"])
    assert quick_count(slow, patience=50).number is None
    assert quick_count(Contact.objects.all()).number == 3
