"""The three steps as a member walks them, and who may."""

import csv
import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from messaging.contact_files.models import ContactImport
from messaging.contacts.models import AttributeDefinition, Contact, Tag
from messaging.csv_files.models import Upload
from messaging.jobs import work
from tests.conftest import Cast
from tests.factories import ContactFactory
from tests.messaging.contact_files.conftest import Checked, finish_job

pytestmark = pytest.mark.django_db

CHOICES = {
    "existing": "update",
    "region": "DE",
    "tags": "Fair",
    "agreed": "nobody",
    "column_phone": "1",
    "column_name": "0",
}


def upload(
    client: Client, cast: Cast, content: bytes, *, kind: str = "contacts", name: str = "people.csv"
) -> HttpResponse:
    return client.post(cast.url("contacts/import/"), {"kind": kind, "file": SimpleUploadedFile(name, content)})


def text(response: HttpResponse) -> str:
    return response.content.decode()


def test_from_the_file_to_the_contacts(cast: Cast) -> None:
    client = cast.client("agent")
    page = text(client.get(cast.url("contacts/import/")))
    assert 'enctype="multipart/form-data"' in page
    assert "at most 50 MB" in page
    sent = upload(client, cast, b"Name,Phone\nAnna,0151 12345678\nBob,12\n")
    importing = ContactImport.objects.get()
    address = cast.url(f"contacts/import/{importing.pk}/")
    assert sent["Location"] == address
    columns = text(client.get(address))
    assert re.search(r'<option value="1"[^>]* selected[^>]*>Phone</option>', columns)
    assert 'data-sample="0151 12345678 · 12"' in columns
    assert "Imported " in columns
    assert client.post(address, CHOICES)["Location"] == address
    assert "hx-get" in text(client.get(address)), "the check is under way"
    finish_job(importing)
    findings = text(client.get(address))
    assert "Import 1 contact</button>" in findings
    assert "too short" in findings
    assert not Contact.objects.exists()
    assert client.post(f"{address}run/")["Location"] == address
    finish_job(importing)
    done = text(client.get(address))
    assert cast.url(f"contacts/?tag={Tag.objects.get().pk}") in done
    assert Contact.objects.get().name == "Anna"
    again = text(client.get(cast.url("contacts/import/")))
    assert "1 new, 0 changed" in again


def test_list_of_opt_outs_asks_for_the_number_only(cast: Cast) -> None:
    client = cast.client("agent")
    chosen = text(client.get(cast.url("contacts/import/?kind=opt_outs")))
    assert re.search(r'<input type="radio" name="kind" value="opt_outs"[^>]* checked', chosen)
    upload(client, cast, b"Number\n015112345678\n", kind="opt_outs")
    importing = ContactImport.objects.get()
    address = cast.url(f"contacts/import/{importing.pk}/")
    page = text(client.get(address))
    assert "column_phone" in page
    assert "column_name" not in page
    assert 'name="agreed"' not in page
    client.post(address, {"column_phone": "0", "region": "DE"})
    finish_job(importing)
    assert "Opt 1 number out</button>" in text(client.get(address))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89PNG\r\n\x1a\n\x00", "picture"),
        (b"PK\x03\x04\x00", "Save as"),
        (b"", "empty"),
        (b"Name\nAda\n", "no phone numbers"),
    ],
)
def test_what_is_no_table_is_refused_at_the_field_and_kept_nowhere(cast: Cast, content: bytes, words: str) -> None:
    answer = upload(cast.client("agent"), cast, content)
    assert answer.status_code == 422
    assert words in text(answer)
    assert not Upload.objects.exists()
    assert not ContactImport.objects.exists()


def test_consent_without_its_wording_is_refused_and_keeps_what_was_typed(cast: Cast) -> None:
    client = cast.client("agent")
    upload(client, cast, b"Name,Phone,OK\nAnna,015112345678,yes\n")
    importing = ContactImport.objects.get()
    address = cast.url(f"contacts/import/{importing.pk}/")
    for wrong in (
        {"agreed": "everybody", "wording": " \u202e"},
        {"agreed": "column", "wording": "Fair"},
        {"tags": "Twilio-message-STOP"},
        {"column_phone": ""},
        {"column_phone": "9"},
        {"region": "XX"},
    ):
        answer = client.post(address, {**CHOICES, "tags": "Mine", **wrong})
        assert answer.status_code == 422, wrong
    assert 'value="Mine"' in text(answer)
    importing.refresh_from_db()
    assert importing.state == "mapping"
    client.post(address, {**CHOICES, "agreed": "column", "consent_column": "2", "wording": "Fair 2026"})
    importing.refresh_from_db()
    assert (importing.mapping["consent"], importing.options["wording"]) == (2, "Fair 2026")


def test_file_is_read_again_as_the_member_says(cast: Cast) -> None:
    client = cast.client("agent")
    upload(client, cast, "Vorname;Tel\nJörg;015112345678\n".encode("cp1252"))
    importing = ContactImport.objects.get()
    address = cast.url(f"contacts/import/{importing.pk}/")
    assert "Jörg" in text(client.get(address))
    client.post(f"{address}read/", {"encoding": "gb18030", "delimiter": ";", "has_header": ""})
    page = text(client.get(address))
    assert "Jörg" not in page
    assert "Column A" in page
    refused = client.post(f"{address}read/", {"encoding": "utf-16-le", "delimiter": ";"}, follow=True)
    assert refused.status_code == 200
    assert client.post(f"{address}read/", {"encoding": "\x00", "delimiter": "%"}).status_code == 302


def test_report_has_every_row_that_is_not_taken(cast: Cast, checked: Checked) -> None:
    importing = checked('Name,Phone\n=Bob,12\nAnna,015112345678\nAgain,0151 12345678\n"open,1\nshort\n')
    answer = cast.client("agent").get(cast.url(f"contacts/import/{importing.pk}/report/"))
    assert answer["Content-Disposition"] == 'attachment; filename="people - not imported.csv"'
    table = list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert table[0] == ["Name", "Phone", "Row in your file", "What is wrong, and what to do"]
    assert [row[2] for row in table[1:]] == ["2", "4", "5", "6"]
    assert table[1][0] == "'=Bob"
    assert table[1][3].startswith("Phone: The number is too short.")
    assert "stands in row 3 already" in table[2][3]
    assert "never closed" in table[3][3]
    assert importing.upload is not None
    importing.upload.delete()
    gone = cast.client("agent").get(cast.url(f"contacts/import/{importing.pk}/report/"), follow=True)
    assert "Upload it again" in text(gone)


def test_import_is_discarded_with_its_file(cast: Cast) -> None:
    client = cast.client("agent")
    upload(client, cast, b"Name,Phone\nAnna,015112345678\n")
    importing = ContactImport.objects.get()
    client.post(cast.url(f"contacts/import/{importing.pk}/discard/"))
    assert not ContactImport.objects.exists()
    assert not Upload.objects.exists()
    assert client.get(cast.url(f"contacts/import/{importing.pk}/")).status_code == 404


def test_two_clicks_start_one_import(cast: Cast, checked: Checked) -> None:
    importing = checked("Name,Phone\nAnna,015112345678\n")
    client, address = cast.client("agent"), cast.url(f"contacts/import/{importing.pk}/run/")
    client.post(address)
    client.post(address)
    importing.refresh_from_db()
    assert work.running(cast.organization, kind="contacts.import").pk == importing.job_id  # type: ignore[union-attr]
    finish_job(importing)
    client.post(address)
    assert Contact.objects.count() == 1


def test_viewer_and_stranger_import_and_export_nothing(cast: Cast, checked: Checked) -> None:
    importing = checked("Name,Phone\nAnna,015112345678\n")
    for path in ("", f"{importing.pk}/", f"{importing.pk}/report/"):
        assert cast.client("viewer").get(cast.url(f"contacts/import/{path}")).status_code == 403
        assert cast.client("stranger").get(cast.url(f"contacts/import/{path}")).status_code == 404
    assert upload(cast.client("viewer"), cast, b"Name,Phone\nA,1\n").status_code == 403
    assert Upload.objects.count() == 1
    theirs = f"/o/{cast.other.slug}/contacts/import/{importing.pk}"
    for path in ("/", "/report/"):
        assert cast.client("stranger").get(theirs + path).status_code == 404
    for path in ("/run/", "/back/", "/discard/", "/read/"):
        assert cast.client("stranger").post(theirs + path).status_code == 404
    assert cast.client("viewer").post(cast.url("contacts/export/")).status_code == 403


def test_forged_upload_is_refused(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.agent)
    assert upload(client, cast, b"Name,Phone\nAnna,015112345678\n").status_code == 403
    assert not Upload.objects.exists()


def test_export_is_what_the_list_shows_and_can_be_imported_again(cast: Cast) -> None:
    AttributeDefinition.objects.create(organization=cast.organization, key="size", label="Size", kind="number")
    vip = Tag.objects.create(organization=cast.organization, name="VIP")
    anna = ContactFactory(
        organization=cast.organization, name="=Anna", phone="+4915112345678", language="de", attributes={"size": 4.5}
    )
    anna.tags.add(vip)
    ContactFactory(organization=cast.organization, name="Bob", phone="+4915112345679")
    ContactFactory(organization=cast.other, name="Theirs")
    client = cast.client("agent")
    everybody = client.post(cast.url("contacts/export/")).getvalue()
    table = list(csv.reader(io.StringIO(everybody.decode("utf-8-sig"))))
    assert [row[1] for row in table] == ["Name", "Bob", "'=Anna"]
    assert dict(zip(table[0], table[2], strict=True)) | {"Added": ""} == {
        "Phone number": "'+4915112345678", "Name": "'=Anna", "E-mail": "", "Language": "de", "Time zone": "",
        "Tags": "VIP", "Notes": "", "Size": "4.5", "Marketing consent": "", "Opted out": "", "Country": "Germany",
        "Added": "",
    }  # fmt: skip
    found = client.post(cast.url("contacts/"), {"q": "bob"})
    key = found["Location"].partition("search=")[2]
    narrowed = client.post(cast.url("contacts/export/"), {"search": key}).getvalue().decode()
    assert "Bob" in narrowed
    assert "Anna" not in narrowed
    Contact.objects.filter(pk=anna.pk).update(name="Changed")
    upload(client, cast, everybody)
    importing = ContactImport.objects.get()
    client.post(
        cast.url(f"contacts/import/{importing.pk}/"),
        {**CHOICES, **{f"column_{key}": str(n) for key, n in importing.inspection["guess"].items()}},
    )
    finish_job(importing)
    client.post(cast.url(f"contacts/import/{importing.pk}/run/"))
    done = finish_job(importing)
    assert (done.counts["updates"], done.counts["unchanged"], done.wrong_count) == (1, 1, 0)
    anna.refresh_from_db()
    assert (anna.name, anna.attributes) == ("=Anna", {"size": 4.5})


def test_export_goes_page_by_page(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.contact_files.exporting.PAGE", 7)
    ContactFactory.create_batch(30, organization=cast.organization)
    answer = cast.client("agent").post(cast.url("contacts/export/"))
    rows = answer.getvalue().decode().splitlines()[1:]
    assert len(rows) == len(set(rows)) == 30
