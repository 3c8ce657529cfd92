"""The admin: every model, and what its pages do. Who may open which is walked by test_every_route."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import Model
from django.urls import reverse

from integrations.organizations.models import AuditEntry
from integrations.organizations.tenant_admin import OperatorAdmin, TenantAdmin
from messaging.consent.opt_outs import STOP_TAG
from messaging.contacts.models import Contact, Tag
from messaging.sending.models import Message
from tests.conftest import Cast
from tests.factories import ContactFactory, MessageFactory
from tests.world import World, bundles, furnish

pytestmark = pytest.mark.django_db

OURS = [model for label in ("integrations", "messaging", "portal") for model in apps.get_app_config(label).get_models()]
TENANT = [model for model in OURS if isinstance(admin.site._registry.get(model), TenantAdmin)]
INSTALLATION = [model for model in OURS if isinstance(admin.site._registry.get(model), OperatorAdmin)]


def path(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def here(cast: Cast) -> World:
    return furnish(cast.organization, owner=cast.owner, mark="Hither", number="+4915112345678")


@pytest.fixture
def there(cast: Cast) -> World:
    return furnish(cast.other, owner=cast.stranger, mark="Yonder", number="+4915187654321")


def test_every_model_of_ours_has_an_admin_and_nothing_else_has() -> None:
    assert set(OURS) == set(TENANT) | set(INSTALLATION)
    assert set(admin.site._registry) == set(OURS)


@pytest.mark.parametrize("model", OURS)
def test_every_list_can_be_searched(model: type[Model]) -> None:
    assert admin.site._registry[model].search_fields


@pytest.mark.parametrize("models", bundles(TENANT))
def test_list_asks_the_database_equally_often_for_few_and_many(
    cast: Cast, here: World, models: list[type[Model]], django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        contact = ContactFactory(organization=cast.organization)
        MessageFactory(organization=cast.organization, connection=here.rows[type(here.rows[Message].connection)],
                       contact=contact)  # fmt: skip
        Tag.objects.create(organization=cast.organization, name=f"tag {number}")
    client = cast.client("owner")
    for model in models:
        client.get(cast.url(path(model, "changelist")))
        with django_assert_max_num_queries(14):
            client.get(cast.url(path(model, "changelist")))


def test_search_by_number_finds_in_any_writing_and_leaves_no_number_in_the_address(cast: Cast, here: World) -> None:
    client = cast.client("viewer")
    for model in (Contact, Message):
        answer = client.post(cast.url(path(model, "changelist")), {"q": "0151 1234 5678"}, follow=True)
        address = answer.redirect_chain[-1][0]
        assert "1234" not in address.split("search=")[0]
        assert "5678" not in address
        assert [row.pk for row in answer.context["cl"].result_list] == [here[model].pk]
        nothing = client.post(cast.url(path(model, "changelist")), {"q": "+4915187654321"}, follow=True)
        assert list(nothing.context["cl"].result_list) == []


@pytest.mark.parametrize(
    "question",
    [
        "contact__phone__startswith=%2B49",
        "body__contains=a",
        "organization__slug=borealis",
        "id__in=1",
        "connection__auth_token__startswith=5",
        "key_hash__startswith=b",
    ],
)
def test_lookup_in_the_address_answers_no_question(cast: Cast, here: World, there: World, question: str) -> None:
    answer = cast.client("owner").get(cast.url(path(Message, "changelist")) + f"?{question}")
    assert answer.status_code in {302, 400}
    assert cast.client("owner").get(cast.url(path(Message, "changelist")) + "?status__exact=failed").status_code == 200


def test_autocomplete_offers_no_rows_of_others(cast: Cast, here: World, there: World) -> None:
    for model in TENANT:
        query = {"app_label": "messaging", "model_name": "contact", "field_name": "tags", "term": "Yonder"}
        answer = cast.client("owner").get(cast.url("/admin/autocomplete/"), query)
        assert "Yonder tag" not in answer.content.decode(), model


def test_delete_preview_lists_only_counts_beside_the_row_itself(cast: Cast, here: World, there: World) -> None:
    text = cast.client("agent").get(cast.url(path(Tag, "delete", here[Tag].pk))).content.decode()
    assert "Hither tag" in text
    assert "Yonder" not in text
    assert "5678" not in text


def test_agent_changes_a_contact_and_the_audit_log_alone_remembers(cast: Cast, here: World) -> None:
    contact = here[Contact]
    address = cast.url(path(Contact, "change", contact.pk))
    fields = {"name": "Ada", "email": "", "language": "", "notes": ""}
    assert cast.client("viewer").post(address, fields).status_code == 403
    assert cast.client("agent").post(address, fields).status_code == 302
    contact.refresh_from_db()
    assert (contact.name, contact.phone) == ("Ada", "+4915112345678")
    assert AuditEntry.objects.filter(action="contact.changed").exists()
    assert not LogEntry.objects.exists()
    for entry in AuditEntry.objects.all():
        assert "12345678" not in f"{entry.object_label}{entry.changes}"


def test_deleted_contact_goes_through_the_address_book(cast: Cast, here: World) -> None:
    address = cast.url(path(Contact, "delete", here[Contact].pk))
    assert cast.client("agent").post(address, {"post": "yes"}).status_code == 302
    assert not Contact.objects.filter(organization=cast.organization).exists()
    assert AuditEntry.objects.filter(action="contact.deleted").count() == 1
    assert Message.objects.filter(pk=here[Message].pk).exists(), "messages keep their history"


def test_tag_of_an_opt_out_stays(cast: Cast) -> None:
    stop = Tag.objects.create(organization=cast.organization, name=STOP_TAG)
    assert cast.client("owner").post(cast.url(path(Tag, "delete", stop.pk)), {"post": "yes"}).status_code == 403
    assert cast.client("owner").post(cast.url(path(Tag, "change", stop.pk)), {"name": "x"}).status_code == 403


def test_new_tag_belongs_to_the_organization_of_the_page(cast: Cast) -> None:
    answer = cast.client("agent").post(cast.url(path(Tag, "add")), {"name": "VIP", "organization": str(cast.other.pk)})
    assert answer.status_code == 302
    assert Tag.objects.get(name="VIP").organization == cast.organization


def test_history_shows_the_audit_log_to_whom_may_read_it(cast: Cast, here: World) -> None:
    address = cast.url(path(Contact, "history", here[Contact].pk))
    assert "added the contact" in cast.client("admin").get(address).content.decode()
    assert cast.client("agent").get(address).status_code == 403


def test_operator_switches_a_person_off_but_not_oneself(cast: Cast) -> None:
    model = type(cast.owner)
    fields = {"name": "Owner", "is_operator": ""}
    assert cast.client("operator").post(path(model, "change", cast.owner.pk), fields).status_code == 302
    cast.owner.refresh_from_db()
    assert not cast.owner.is_active
    assert cast.client("operator").post(path(model, "change", cast.operator.pk), fields).status_code == 403
    assert AuditEntry.objects.filter(action="user.changed", organization=None).exists()


def test_empty_list_says_what_belongs_here(cast: Cast) -> None:
    client = cast.client("owner")
    assert "written by Heliograph itself" in client.get(cast.url(path(Message, "changelist"))).content.decode()
    assert "Add the first" in client.get(cast.url(path(Tag, "changelist"))).content.decode()
    found = client.post(cast.url(path(Message, "changelist")), {"q": "+4915112345678"}, follow=True)
    assert "Nothing fits" in found.content.decode()
