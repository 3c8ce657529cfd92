"""The operator: create, suspend, reactivate."""

from django.core import mail

from integrations.organizations.models import AuditEntry, Invitation, Member, Organization
from tests.conftest import Cast
from tests.factories import OrganizationFactory

NEW = {"name": "Cedar & Sons", "slug": "", "owner_email": "", "default_region": "GB", "time_zone": "Europe/London"}


def test_existing_person_becomes_owner_at_once(cast: Cast) -> None:
    response = cast.client("operator").post("/operator/new/", NEW | {"owner_email": "Agent@acme.example"})
    assert response["Location"] == "/operator/o/cedar-sons/"
    organization = Organization.objects.get(slug="cedar-sons")
    assert organization.default_region == "GB"
    assert Member.objects.get(organization=organization).user == cast.agent
    assert Member.objects.get(organization=organization).role == "owner"
    assert AuditEntry.objects.filter(organization=organization, action="organization.created").count() == 1


def test_new_person_is_invited_as_owner(cast: Cast) -> None:
    response = cast.client("operator").post("/operator/new/", NEW | {"owner_email": "cedar@sons.example"})
    assert "no-store" in response["Cache-Control"]
    invitation = Invitation.objects.get()
    assert invitation.role == "owner"
    assert "/invitations/" in response.content.decode()
    assert mail.outbox[0].to == ["cedar@sons.example"]


def test_name_and_slug_are_taken_once_and_nothing_is_half_made(cast: Cast) -> None:
    client = cast.client("operator")
    for values, message in (
        ({"name": "ACME Logistics", "owner_email": "x@y.example"}, "already"),
        ({"slug": "acme", "owner_email": "x@y.example"}, "is taken"),
        ({"slug": "no good", "owner_email": "x@y.example"}, "hyphens"),
        ({"name": "你好", "owner_email": "x@y.example"}, "hyphens"),
        ({"owner_email": "nobody"}, "valid email"),
    ):
        response = client.post("/operator/new/", NEW | values)
        assert response.status_code == 200
        assert message in response.content.decode(), values
    assert Organization.objects.count() == 2
    assert not Invitation.objects.exists()


def test_suspending_shuts_members_out_with_the_reason(cast: Cast) -> None:
    client = cast.client("operator")
    assert client.post("/operator/o/acme/suspend/", {"reason": ""}).status_code == 200
    cast.organization.refresh_from_db()
    assert not cast.organization.is_suspended
    client.post("/operator/o/acme/suspend/", {"reason": "Invoice 7 is unpaid"})
    client.post("/operator/o/acme/suspend/", {"reason": "twice"})
    cast.organization.refresh_from_db()
    assert cast.organization.suspended_reason == "Invoice 7 is unpaid"
    page = cast.client("owner").get(cast.url("members/"))
    assert page.status_code == 403
    assert "Invoice 7 is unpaid" in page.content.decode()
    client.post("/operator/o/acme/reactivate/")
    client.post("/operator/o/acme/reactivate/")
    assert cast.client("owner").get(cast.url("members/")).status_code == 200
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["organization.suspended", "organization.reactivated"]


def test_list_searches_and_does_not_ask_for_each_row(cast: Cast, django_assert_max_num_queries) -> None:
    for _ in range(20):
        OrganizationFactory()
    client = cast.client("operator")
    with django_assert_max_num_queries(6):
        client.get("/operator/")
    found = client.get("/operator/", {"q": "viewer@acme"}).content.decode()
    assert "Acme Logistics" in found
    assert "Borealis" not in found
    row = client.get("/operator/", {"q": "acme"}).context["page"].object_list[0]
    assert (row.member_count, row.owner_count) == (4, 1)
    assert "No such organization" in client.get("/operator/", {"q": "zz", "status": "bogus"}).content.decode()


def test_unknown_organization_is_404(cast: Cast) -> None:
    assert cast.client("operator").get("/operator/o/nowhere/").status_code == 404
