"""What was sent: the list with its filters, one submission, its files, the export; erasing and the timeline."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from integrations.organizations.models import AuditEntry
from messaging.contacts.erasure.erasing import erase_person
from messaging.contacts.models import Contact
from messaging.contacts.timeline import timeline
from messaging.jobs import work
from messaging.jobs.models import Job
from portal.forms import building
from portal.forms.answers import search_text_of
from portal.forms.definition import parse
from portal.forms.exporting import EXPORT, forget_old_exports
from portal.forms.filters import SubmissionFilter, filtered
from portal.forms.models import FormDraft, PublicForm, Submission, SubmissionExport, SubmissionFile
from tests.conftest import Cast
from tests.factories import ContactFactory
from tests.portal.forms.samples import HTML, PNG

pytestmark = pytest.mark.django_db
PHONE = "+4915112345678"


def add(form: PublicForm, *, phone: str = PHONE, verified: bool = False, **answers: Any) -> Submission:
    assert form.current is not None
    kept = {"f1": "Ada", "f2": phone, **answers}
    return Submission.objects.create(
        form=form,
        version=form.current,
        answers=kept,
        search_text=search_text_of(parse(form.current.definition), kept),
        phone=phone,
        language="de",
        network="203.0.113.0/24",
        **({"verified_at": timezone.now(), "verification_id": form.pk, "verified_by": "sms"} if verified else {}),
    )


@pytest.fixture
def client(cast: Cast) -> Client:
    return cast.client("agent")


@pytest.fixture
def at(cast: Cast, plain: PublicForm) -> Any:
    return lambda path="": cast.url(f"forms/{plain.pk}/submissions/{path}")


def test_list_shows_what_was_sent_and_who_proved_the_number(plain: PublicForm, client: Client, at: Any) -> None:
    assert "Nothing was sent yet" in client.get(at()).text
    add(plain, f3="Morning", verified=True)
    add(plain, phone="+4915112345679", f1="Grace")
    page = client.get(at()).text
    for words in ("2 submissions", "Ada", "Grace", "Morning", "Verified", "Not verified"):
        assert words in page.replace(" ", "") or words in page, words


def test_search_finds_numbers_in_any_writing_and_words_and_leaves_neither_in_the_address(
    plain: PublicForm, client: Client, at: Any
) -> None:
    ada = add(plain, f1="Ada Lovelace")
    grace = add(plain, phone="+4915112345679", f1="Grace Hopper")
    for query, found in (
        ("0151 1234 5678", [ada]),
        ("345679", [grace]),
        ("grace", [grace]),
        ("hopper GRACE", [grace]),
        ("nobody", []),
    ):
        answer = client.post(at(), {"query": query}, follow=True)
        address = answer.redirect_chain[-1][0]
        assert "5678" not in address
        assert "race" not in address
        assert [row for row, _ in answer.context["rows"]] == found, query


def test_list_is_filtered_by_day_proof_language_version_and_answer(plain: PublicForm, client: Client, at: Any) -> None:
    old = add(plain, f3="Morning")
    Submission.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=3))
    new = add(plain, f3="Evening", verified=True)
    today, yesterday = timezone.localdate(), timezone.localdate() - timedelta(days=1)
    for data, found in (
        ({"since": yesterday.isoformat()}, [new]),
        ({"until": yesterday.isoformat()}, [old]),
        ({"since": today.isoformat(), "until": (today + timedelta(days=1)).isoformat()}, [new]),
        ({"verified": "yes"}, [new]),
        ({"verified": "no"}, [old]),
        ({"language": "de"}, [new, old]),
        ({"language": "ar"}, []),
        ({"answer": "f3:Evening"}, [new]),
    ):
        answer = client.post(at(), data, follow=True)
        assert [row for row, _ in answer.context["rows"]] == found, data
    assert client.post(at(), {"since": "yesterday"}).status_code == 422
    assert client.post(at(), {"answer": "f1:x"}).status_code == 422


def test_several_choices_and_versions_are_filters_too(published: PublicForm, cast: Cast) -> None:
    first = add(published, f5=["Mon", "Tue"])
    building.change_field(published, key="f10", values={"label": "Note"})
    building.publish(published, actor=cast.owner)
    second = add(published, f5=["Wed"])
    assert list(filtered(published, SubmissionFilter(field="f5", answer="Tue"))) == [first]
    assert list(filtered(published, SubmissionFilter(version="2"))) == [second]
    assert SubmissionFilter.from_json({"query": 5, "x": "y", "verified": "yes"}) == SubmissionFilter(verified="yes")
    assert SubmissionFilter.from_json(None).is_empty


def test_pages_go_on_by_key_and_ask_equally_often(
    plain: PublicForm, client: Client, at: Any, django_assert_max_num_queries: Any
) -> None:
    for number in range(55):
        add(plain, phone=f"+49151123456{number:02}", f1=f"Person {number:02}")
    with django_assert_max_num_queries(16):
        first = client.get(at())
    assert "Person 54" in first.text
    assert "Person 04" not in first.text
    page = first.context["page"]
    second = client.get(f"{at()}?after={page.next}")
    assert "Person 04" in second.text
    assert second.context["page"].next is None


def test_one_submission_is_shown_with_its_proof_and_files(published: PublicForm, cast: Cast) -> None:
    submission = add(published, verified=True, f8={"name": "me.png", "size": 5, "type": "png"}, f9=True, f5=["Mon"])
    file = SubmissionFile.objects.create(
        submission=submission, key="f8", name="me.png", kind="png", size=len(PNG), content=PNG
    )
    Submission.objects.filter(pk=submission.pk).update(confirmation_problem="Connect Twilio first.")
    page = cast.client("agent").get(cast.url(f"forms/{published.pk}/submissions/{submission.pk}/")).text
    told = ("Ada", "me.png", "Agreed", "Write to me.", "with a code by SMS", "Connect Twilio first.", "203.0.113.0/24")
    for words in told:
        assert words in page, words
    path = f"forms/{published.pk}/submissions/files/{file.pk}/"
    answer = cast.client("agent").get(cast.url(path))
    assert (answer.content, answer["Content-Type"]) == (PNG, "image/png")
    assert "sandbox" in answer["Content-Security-Policy"]
    assert cast.client("viewer").get(cast.url(path)).status_code == 403
    assert cast.client("stranger").get(cast.url(path)).status_code == 404
    assert cast.client("stranger").get(cast.url(path, cast.other)).status_code == 404


def test_file_that_is_no_picture_is_only_saved(published: PublicForm, cast: Cast) -> None:
    file = SubmissionFile.objects.create(
        submission=add(published), key="f8", name="x.txt", kind="txt", size=len(HTML), content=HTML
    )
    answer = cast.client("owner").get(cast.url(f"forms/{published.pk}/submissions/files/{file.pk}/"))
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_file_of_what_was_never_sent_is_nobodys(published: PublicForm, cast: Cast) -> None:
    draft = FormDraft.objects.create(
        form=published, version=published.current, secret_hash="x", expires_at=timezone.now() + timedelta(hours=1)
    )
    file = SubmissionFile.objects.create(draft=draft, key="f8", name="a.png", kind="png", size=1, content=PNG)
    address = cast.url(f"forms/{published.pk}/submissions/files/{file.pk}/")
    assert cast.client("owner").get(address).status_code == 404


def test_submission_of_another_form_is_not_found(plain: PublicForm, published: PublicForm, cast: Cast) -> None:
    submission = add(plain)
    owner = cast.client("owner")
    assert owner.get(cast.url(f"forms/{published.pk}/submissions/{submission.pk}/")).status_code == 404
    assert owner.get(cast.url(f"forms/{plain.pk}/submissions/{published.pk}/")).status_code == 404


def rows_of(answer: Any) -> list[list[str]]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_export_is_written_by_a_job_with_formulas_made_harmless(
    plain: PublicForm, client: Client, at: Any, cast: Cast, monkeypatch: Any
) -> None:
    monkeypatch.setattr("portal.forms.exporting._SLICE", 2)
    for number in range(5):
        add(plain, phone=f"+4915112345{number:03}", f1=f"=HYPERLINK({number})", f3="Morning")
    add(plain, phone="+4915119999999", f3="Evening")
    client.post(at(), {"answer": "f3:Morning"})
    key = client.post(at(), {"answer": "f3:Morning"})["Location"].partition("search=")[2]
    client.post(at("export/"), {"search": key})
    export = SubmissionExport.objects.get()
    assert client.get(at(f"export/{export.pk}/")).status_code == 404, "it is not finished"
    work.run(Job.objects.get(kind=EXPORT).pk)
    rows = rows_of(client.get(at(f"export/{export.pk}/")))
    assert rows[0] == ["Sent", "Number", "Number verified", "Language", "Version", "Name", "Phone", "When"]
    assert len(rows) == 6
    assert [row[5] for row in rows[1:]] == [f"'=HYPERLINK({number})" for number in (4, 3, 2, 1, 0)]
    assert rows[1][1] == "'+4915112345004"
    assert AuditEntry.objects.get(action="submissions.exported").changes == {"count": "5"}
    assert cast.client("viewer").get(at(f"export/{export.pk}/")).status_code == 403
    assert "Download the table" in client.get(at()).text
    SubmissionExport.objects.update(created_at=timezone.now() - timedelta(days=30))
    assert forget_old_exports() == 1


def test_export_of_nothing_has_its_head(plain: PublicForm, client: Client, at: Any) -> None:
    client.post(at("export/"))
    export = SubmissionExport.objects.get()
    work.run(export.job_id)  # type: ignore[arg-type]
    assert len(rows_of(client.get(at(f"export/{export.pk}/")))) == 1


def test_search_that_is_forgotten_exports_not_everything(plain: PublicForm, client: Client, at: Any) -> None:
    add(plain)
    assert "not remembered" in client.post(at("export/"), {"search": "nothing"}, follow=True).text
    assert not SubmissionExport.objects.exists()


def test_submission_is_deleted_by_who_builds_forms(plain: PublicForm, at: Any, cast: Cast) -> None:
    submission = add(plain)
    SubmissionExport.objects.create(form=plain)
    assert cast.client("agent").post(at(f"{submission.pk}/delete/")).status_code == 403
    assert cast.client("admin").post(at(f"{submission.pk}/delete/")).status_code == 302
    assert not Submission.objects.exists()
    assert not SubmissionExport.objects.exists()
    entry = AuditEntry.objects.get(action="submission.deleted")
    assert "345678" not in f"{entry.object_label}{entry.changes}"


def test_erased_person_leaves_no_submission(plain: PublicForm, cast: Cast) -> None:
    contact = ContactFactory(organization=cast.organization, phone=PHONE)
    add(plain)
    other = add(plain, phone="+4915112345679")
    FormDraft.objects.create(
        form=plain, version=plain.current, phone=PHONE, secret_hash="x", expires_at=timezone.now() + timedelta(hours=1)
    )
    SubmissionExport.objects.create(form=plain)
    assert erase_person(contact)["submissions of forms"] == 1
    assert list(Submission.objects.all()) == [other]
    assert not FormDraft.objects.exists()
    assert not SubmissionExport.objects.exists()


def test_timeline_of_the_contact_tells_of_the_form(plain: PublicForm, cast: Cast) -> None:
    contact: Contact = ContactFactory(organization=cast.organization, phone=PHONE)
    submission = add(plain)
    Submission.objects.filter(pk=submission.pk).update(contact=contact)
    [entry] = timeline(cast.organization, contact).entries
    assert entry.text == "Sent the form “Callback”, without proof of the number"
    assert str(submission.pk) in entry.link
    PublicForm.objects.filter(pk=plain.pk).update(serves="portal")
    assert not timeline(cast.organization, contact).entries, "a portal tells of its people itself"
