"""An organization's own settings."""

from integrations.organizations.models import AuditEntry
from tests.conftest import Cast

VALUES = {"name": "Acme Logistics", "default_region": "DE", "time_zone": "Europe/Berlin", "language": "en"}


def test_changes_are_saved_and_written_down(cast: Cast) -> None:
    response = cast.client("admin").post(
        cast.url("settings/"), VALUES | {"time_zone": "Asia/Tokyo", "default_region": "JP"}
    )
    assert response.status_code == 302
    cast.organization.refresh_from_db()
    assert (cast.organization.time_zone, cast.organization.default_region) == ("Asia/Tokyo", "JP")
    entry = AuditEntry.objects.get()
    assert entry.changes == {"default_region": ["DE", "JP"], "time_zone": ["Europe/Berlin", "Asia/Tokyo"]}


def test_saving_nothing_new_writes_nothing(cast: Cast) -> None:
    assert cast.client("admin").post(cast.url("settings/"), VALUES).status_code == 302
    assert not AuditEntry.objects.exists()


def test_bad_values_stay_in_the_form_and_the_slug_cannot_be_sent(cast: Cast) -> None:
    client = cast.client("owner")
    for field, value in (("time_zone", "Mars/Base"), ("default_region", "ZZ"), ("language", "xx"), ("name", " ")):
        response = client.post(cast.url("settings/"), VALUES | {field: value})
        assert response.status_code == 200, field
        assert response.context["form"].errors[field]
    client.post(cast.url("settings/"), VALUES | {"slug": "stolen"})
    cast.organization.refresh_from_db()
    assert cast.organization.slug == "acme"
    assert cast.organization.time_zone == "Europe/Berlin"


def test_countries_are_shown_by_name(cast: Cast) -> None:
    page = cast.client("owner").get(cast.url("settings/")).content.decode()
    assert "Germany (+49)" in page
