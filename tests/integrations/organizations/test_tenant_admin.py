"""The base of the admin under attack: crafted addresses, foreign rows, other roles, and input that means nothing."""

from itertools import product
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrations.connections.models import RefusedWebhook
from integrations.organizations import audit
from integrations.organizations.models import ApiKey, AuditEntry, Invitation, Member, Organization, User
from integrations.organizations.tenant_admin import OperatorAdmin, TenantAdmin
from messaging.contacts.admin import TagForm
from messaging.contacts.models import Contact, Tag
from messaging.receipts.models import Callback
from messaging.sending.models import Message, MessageEvent, WorkerPulse
from messaging.templates.models import TemplateVersion
from tests.conftest import Cast
from tests.factories import ContactFactory
from tests.world import World, bundles, furnish

pytestmark = pytest.mark.django_db

TENANT = [model for model, registered in admin.site._registry.items() if isinstance(registered, TenantAdmin)]
INSTALLATION = [model for model, registered in admin.site._registry.items() if isinstance(registered, OperatorAdmin)]
PAGES = ("change", "delete", "history")


def path(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def here(cast: Cast) -> World:
    return furnish(cast.organization, owner=cast.owner, mark="Hither", number="+4915112345678")


@pytest.fixture
def there(cast: Cast) -> World:
    return furnish(cast.other, owner=cast.stranger, mark="Yonder", number="+4915187654321")


@pytest.mark.parametrize("models", bundles(TENANT))
def test_row_of_another_organization_is_not_there_for_anybody(
    cast: Cast, here: World, there: World, models: list[type[Model]]
) -> None:
    for who in ("owner", "viewer"):
        client = cast.client(who)
        for model, page in product(models, PAGES):
            for answer in (
                client.get(cast.url(path(model, page, there[model].pk))),
                client.post(cast.url(path(model, page, there[model].pk)), {"post": "yes", "name": "x"}),
            ):
                assert answer.status_code == 404, (who, model, page)
    for model in models:
        assert model._default_manager.filter(pk=there[model].pk).exists()


def test_admin_outside_is_for_operators(cast: Cast) -> None:
    assert cast.client("operator").get("/admin/").status_code == 200
    for who in ("owner", "viewer", "stranger"):
        assert cast.client(who).get("/admin/").status_code == 404
    assert cast.client(None).get("/admin/")["Location"] == "/accounts/login/?next=/admin/"


ORACLES = (
    "password__startswith=md5",
    "key_hash__startswith=b",
    "token_hash__startswith=d",
    "hook_secret__startswith=5",
    "auth_token=5",
    "params__Body__startswith=H",
    "organization__slug=borealis",
    "message__phone__startswith=%2B49",
    "user__password__startswith=m",
    "pk__in=1",
    "_to_field=key_hash&_popup=1",
    "_to_field=organization",
)
SENSELESS = (
    "p=x", "p=-1", "p=999999999999999999999", "o=99.-99.x", "all=1", "e=1", "e=1&pk=1", "_popup=1", "q=%00",
    "search=%00", "status__exact=%00", "role__exact=%00", "kind__exact=%00", "status__exact=x&status__exact=y",
    "_facets=True", "at__gte=x", "created_at__gte=%27", "created_at__isnull=x",
)  # fmt: skip
SEARCHES = ("\x00", "'", "%", "😀", "x" * 5000, "01a1fd4a-70ff-70f0-8000-000000000000", "+49 1511")
KEYS = ("x", "0", "99999999999999999999", "a%00b", "_5F", "%27", "x" * 500)


def _client_and_address(cast: Cast, model: type[Model], page: str, *args: Any) -> tuple[Client, str]:
    """Return who may see the model's pages, and the address of one where it exists."""
    address = path(model, page, *args)
    return (cast.client("owner"), cast.url(address)) if model in TENANT else (cast.client("operator"), address)


@pytest.mark.parametrize("models", bundles([*TENANT, *INSTALLATION]))
def test_address_of_a_list_is_no_oracle(cast: Cast, here: World, there: World, models: list[type[Model]]) -> None:
    for model in models:
        client, address = _client_and_address(cast, model, "changelist")
        for question in ORACLES:
            answer = client.get(f"{address}?{question}")
            assert answer.status_code == 400 or answer["Location"].endswith("?e=1"), (model, question)


@pytest.mark.parametrize("models", bundles([*TENANT, *INSTALLATION]))
def test_senseless_address_is_no_fault(cast: Cast, here: World, models: list[type[Model]]) -> None:
    for model in models:
        _ask_senselessly(cast, model)


def _ask_senselessly(cast: Cast, model: type[Model]) -> None:
    # All models answer by the same code: each is asked a third of the questions, so that three are asked all.
    turn = [*TENANT, *INSTALLATION].index(model) % 3
    client, address = _client_and_address(cast, model, "changelist")
    for question in SENSELESS[turn::3]:
        assert client.get(f"{address}?{question}").status_code in {200, 302, 400, 404}, question
    for search in SEARCHES[turn::3]:
        assert client.post(address, {"q": search}, follow=True).status_code == 200, search
    for key in KEYS[turn::3]:
        for page in PAGES:
            client, address = _client_and_address(cast, model, page, "KEY")
            assert client.get(address.replace("KEY", key)).status_code in {400, 404}, (page, key)


def test_no_filter_offers_rows_of_a_relation(cast: Cast) -> None:
    """Django's own filter over a relation lists the rows of everybody; one of ours would have to be scoped."""
    for model in TENANT:
        for entry in admin.site._registry[model].list_filter:
            name = entry if isinstance(entry, str) else entry[0]
            assert not model._meta.get_field(name).is_relation, (model, name)


def _relations() -> list[tuple[str, str, str]]:
    return [
        (model._meta.app_label, model._meta.model_name or "", field.name)
        for model in admin.site._registry
        for field in model._meta.get_fields()
        if field.is_relation
    ]


def test_autocomplete_offers_only_what_the_lists_show(cast: Cast, here: World, there: World) -> None:
    clients = {who: cast.client(who) for who in ("owner", "viewer", "stranger")}
    answered = 0
    for relation in _relations():
        query = dict(zip(("app_label", "model_name", "field_name"), relation, strict=True))
        for term in ("", "Yonder"):
            for who in ("owner", "viewer"):
                answer = clients[who].get(cast.url("admin/autocomplete/"), {**query, "term": term})
                assert answer.status_code in {200, 403, 404}, (relation, who)
                answered += answer.status_code == 200
                for word in ("Yonder", "orealis", "4321", str(there[Contact].pk)):
                    assert word not in answer.content.decode(), (relation, term, who)
        assert clients["owner"].get("/admin/autocomplete/", query).status_code == 404
        assert clients["stranger"].get(cast.url("admin/autocomplete/"), query).status_code == 404
        assert clients["owner"].get(cast.url("admin/autocomplete/"), {**query, "term": "\x00"}).status_code == 404
    assert answered > 20


def test_senseless_autocomplete_is_refused(cast: Cast) -> None:
    for query in ({}, {"app_label": "x", "model_name": "y", "field_name": "z"}, {"app_label": "messaging"},
                  {"app_label": "messaging", "model_name": "contact", "field_name": "name"}):  # fmt: skip
        assert cast.client("owner").get(cast.url("admin/autocomplete/"), query).status_code in {403, 404}


@pytest.mark.parametrize("address", ["admin/password_change/", "admin/password_change/done/", "admin/r/1/1/",
                                     "admin/search/?s=contact", "admin/search/?s=a&page=x", "admin/nothing/",
                                     "admin/auth/group/", "admin/account/emailaddress/", "admin/mfa/authenticator/",
                                     "admin/sessions/session/", "admin/admin/logentry/"])  # fmt: skip
def test_pages_of_the_framework_that_we_do_not_offer_do_not_exist(cast: Cast, address: str) -> None:
    assert cast.client("owner").get(cast.url(address)).status_code == 404
    assert cast.client("operator").get(f"/{address}").status_code == 404


def test_menu_of_the_page_leads_out_through_the_one_sign_out(cast: Cast) -> None:
    page = cast.client("owner").get(cast.url("admin/")).content.decode()
    assert "password_change" not in page
    client = cast.client("owner")
    assert client.post(cast.url("admin/logout/")).status_code == 302
    assert client.get(cast.url("")).status_code == 302, "signed out"


@pytest.mark.parametrize("model", [Member, Invitation, ApiKey, TemplateVersion])
def test_people_are_named_without_a_link_to_where_nobody_may_go(cast: Cast, here: World, model: type[Model]) -> None:
    type(here[model]).objects.filter(pk=here[model].pk).update(
        **{name: cast.owner for name in ("invited_by", "created_by") if hasattr(model, name)}
    )
    for page in (path(model, "change", here[model].pk), path(model, "changelist")):
        text = cast.client("owner").get(cast.url(page)).content.decode()
        assert "/admin/integrations/user/" not in text


def test_history_of_a_row_is_not_mixed_with_that_of_another_kind(cast: Cast, here: World) -> None:
    event = here[MessageEvent]
    RefusedWebhook.objects.filter(pk=event.pk).delete()
    namesake = RefusedWebhook(pk=event.pk, connection=here[Message].connection, reason="unsigned")
    audit.record(cast.organization, actor=cast.owner, action="webhook.wondered_at", target=namesake)
    text = cast.client("owner").get(cast.url(path(MessageEvent, "history", event.pk))).content.decode()
    assert "wondered" not in text


def test_history_speaks_as_the_audit_log_does(cast: Cast, here: World) -> None:
    text = cast.client("owner").get(cast.url(path(Contact, "history", here[Contact].pk))).content.decode()
    assert "added the contact" in text


def test_lists_show_times_in_the_zone_of_the_organization(cast: Cast, here: World) -> None:
    Organization.objects.filter(pk=cast.organization.pk).update(time_zone="Asia/Tokyo")
    stamp = "2026-03-04T20:30:00+00:00"
    Contact.objects.filter(pk=here[Contact].pk).update(created_at=stamp)
    text = cast.client("owner").get(cast.url(path(Contact, "changelist"))).content.decode()
    assert "March 5, 2026, 5:30 a.m." in text


class TestChangingTags:
    def test_name_taken_in_any_case_is_refused_at_the_field(self, cast: Cast, here: World) -> None:
        for address in (path(Tag, "add"), path(Tag, "change", Tag.objects.create(
            organization=cast.organization, name="VIP").pk)):  # fmt: skip
            answer = cast.client("agent").post(cast.url(address), {"name": "hither  TAG"})
            assert answer.status_code == 200
            assert "There is such a tag" in answer.content.decode()

    def test_tag_of_opt_outs_cannot_be_made_by_hand(self, cast: Cast) -> None:
        answer = cast.client("agent").post(cast.url(path(Tag, "add")), {"name": "twilio-MESSAGE-stop"})
        assert answer.status_code == 200
        assert not Tag.objects.exists()

    def test_other_organizations_may_have_the_same_tag(self, cast: Cast, there: World) -> None:
        assert cast.client("agent").post(cast.url(path(Tag, "add")), {"name": "Yonder tag"}).status_code == 302

    @pytest.mark.parametrize("name", ["", " ", "\u202e", "x" * 61])
    def test_bad_names_are_refused(self, cast: Cast, name: str) -> None:
        assert cast.client("agent").post(cast.url(path(Tag, "add")), {"name": name}).status_code == 200
        assert not Tag.objects.exists()

    def test_change_and_deletion_are_in_the_audit_log(self, cast: Cast, here: World) -> None:
        tag = here[Tag]
        client = cast.client("agent")
        assert client.post(cast.url(path(Tag, "change", tag.pk)), {"name": "Regular"}).status_code == 302
        assert client.post(cast.url(path(Tag, "delete", tag.pk)), {"post": "yes"}).status_code == 302
        actions = list(AuditEntry.objects.filter(object_id=str(tag.pk)).values_list("action", flat=True))
        assert actions == ["tag.changed", "tag.deleted"]
        assert not LogEntry.objects.exists()
        assert Contact.objects.filter(pk=here[Contact].pk).exists()

    def test_same_tag_saved_by_two_at_once_is_no_fault(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        """The form of the second found no namesake, because the first was not done yet."""
        Tag.objects.create(organization=cast.organization, name="VIP")
        monkeypatch.setattr(TagForm, "clean_name", lambda form: form.cleaned_data["name"])
        answer = cast.client("agent").post(cast.url(path(Tag, "add")), {"name": "VIP"}, follow=True)
        assert "Somebody saved the same" in answer.content.decode()
        assert Tag.objects.count() == 1


class TestChangingContacts:
    def test_goes_through_the_address_book(self, cast: Cast, here: World) -> None:
        contact = here[Contact]
        fields = {"name": " Ada\u202e  Lovelace ", "email": contact.email, "language": "", "notes": "private"}
        assert cast.client("agent").post(cast.url(path(Contact, "change", contact.pk)), fields).status_code == 302
        contact.refresh_from_db()
        assert contact.name == "Ada Lovelace"
        entry = AuditEntry.objects.get(action="contact.changed")
        assert entry.changes == {"name": ["Hither contact", "Ada Lovelace"], "notes": "changed"}

    def test_number_cannot_be_slipped_in(self, cast: Cast, here: World) -> None:
        contact = here[Contact]
        fields = {"name": "Ada", "phone": "+4915199999999", "region": "AT", "organization": str(cast.other.pk)}
        assert cast.client("agent").post(cast.url(path(Contact, "change", contact.pk)), fields).status_code == 302
        contact.refresh_from_db()
        assert (contact.phone, contact.region, contact.organization) == ("+4915112345678", "DE", cast.organization)

    def test_unknown_language_is_refused(self, cast: Cast, here: World) -> None:
        fields = {"name": "Ada", "language": "klingon"}
        assert cast.client("agent").post(cast.url(path(Contact, "change", here[Contact].pk)), fields).status_code == 200

    def test_number_of_today_is_kept_however_odd(self, cast: Cast) -> None:
        contact = ContactFactory(organization=cast.organization, phone="+999123456", region="")
        fields = {"name": "Odd", "email": "", "language": "", "notes": ""}
        assert cast.client("agent").post(cast.url(path(Contact, "change", contact.pk)), fields).status_code == 302
        contact.refresh_from_db()
        assert (contact.name, contact.phone) == ("Odd", "+999123456")


class TestPeople:
    def test_operator_grants_and_takes_entry(self, cast: Cast) -> None:
        address = path(User, "change", cast.viewer.pk)
        fields = {"name": "V", "is_active": "on", "is_operator": "on", "email": "new@x.example", "password": "x"}
        assert cast.client("operator").post(address, fields).status_code == 302
        cast.viewer.refresh_from_db()
        assert (cast.viewer.is_operator, cast.viewer.email) == (True, "viewer@acme.example")
        assert cast.client("operator").get(address).content.decode().count("md5$") == 0

    def test_person_who_was_switched_off_is_out_at_once(self, cast: Cast) -> None:
        client = cast.client("viewer")
        assert client.get(cast.url("")).status_code == 200
        cast.client("operator").post(path(User, "change", cast.viewer.pk), {"name": "V"})
        assert client.get(cast.url("")).status_code == 302


def test_members_are_listed_to_those_who_manage_them(cast: Cast) -> None:
    assert cast.client("admin").get(cast.url(path(Member, "changelist"))).status_code == 200
    for who in ("agent", "viewer"):
        assert cast.client(who).get(cast.url(path(Member, "changelist"))).status_code == 403


def test_big_lists_are_never_counted(cast: Cast, here: World) -> None:

    for model in (Message, MessageEvent, Callback, AuditEntry):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert cast.client("owner").get(cast.url(path(model, "changelist"))).status_code == 200
        asked = [query["sql"] for query in queries if f'"{model._meta.db_table}"' in query["sql"]]
        assert asked
        assert not [sql for sql in asked if "COUNT(" in sql], model


def test_pulse_of_workers_is_for_operators(cast: Cast, here: World) -> None:
    text = cast.client("operator").get(path(WorkerPulse, "changelist")).content.decode()
    assert "worker" in text
