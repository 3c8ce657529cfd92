"""What a file makes of the address book: each number once, nothing overwritten by emptiness, nothing taken unsaid."""

import pytest

from integrations.organizations.models import AuditEntry
from messaging.contact_files import journey
from messaging.contact_files.journey import ImportProblem
from messaging.contact_files.models import ContactImport, ImportedNumber
from messaging.contacts.models import AttributeDefinition, Contact, Tag
from messaging.jobs import work
from messaging.sending.models import Message
from tests.conftest import Cast
from tests.factories import ContactFactory
from tests.messaging.contact_files.conftest import Checked, finish_job

pytestmark = pytest.mark.django_db

PEOPLE = (
    "Name;Handynummer;E-Mail;Sprache;Zeitzone;Tags;Notizen\r\n"
    "Anna Schmidt;0151 12345678;anna@example.com;Deutsch;Europe/Berlin;VIP, Köln;Mag Tee\r\n"
    "王小明;+86 138 0013 8000;;zh-hans;;;\r\n"
)


def test_rows_become_contacts_with_everything_they_say(cast: Cast, imported: Checked) -> None:
    importing = imported(PEOPLE.replace("Deutsch", "German"), tags=["Imported 25 Nov 2026"])
    assert (importing.counts["new"], importing.counts["bad"], importing.counts["rows"]) == (2, 0, 2)
    anna = Contact.objects.get(phone="+4915112345678")
    assert (anna.name, anna.email, anna.language, anna.time_zone, anna.notes, anna.region) == (
        "Anna Schmidt", "anna@example.com", "de", "Europe/Berlin", "Mag Tee", "DE",
    )  # fmt: skip
    assert set(anna.tags.values_list("name", flat=True)) == {"VIP", "Köln", "Imported 25 Nov 2026"}
    ming = Contact.objects.get(phone="+8613800138000")
    assert (ming.name, ming.language, ming.region) == ("王小明", "zh-hans", "CN")
    assert {anna.imported_in, ming.imported_in} == {importing.job_id}
    assert not Message.objects.exists()
    entry = AuditEntry.objects.get(action="contacts.imported")
    assert (entry.changes["added"], entry.changes["file"]) == (2, "people.csv")
    assert "12345678" not in str(entry.changes)


def test_check_changes_nothing(cast: Cast, checked: Checked) -> None:
    anna = ContactFactory(organization=cast.organization, name="Anna", phone="+4915112345678")
    importing = checked("Name,Phone\nAnna Schmidt,015112345678\nBob,015112345679\n", tags=["New"])
    assert {name: importing.counts.get(name, 0) for name in ("new", "updates", "unchanged", "skipped", "bad")} == {
        "new": 1, "updates": 1, "unchanged": 0, "skipped": 0, "bad": 0,
    }  # fmt: skip
    anna.refresh_from_db()
    assert anna.name == "Anna"
    assert Contact.objects.count() == 1
    assert not Tag.objects.exists()


def test_same_file_again_doubles_nothing(cast: Cast, imported: Checked) -> None:
    first = imported(PEOPLE.replace("Deutsch", "de"), tags=["Autumn"])
    again = imported(PEOPLE.replace("Deutsch", "de"), tags=["autumn"])
    assert (again.counts["new"], again.counts["unchanged"]) == (0, 2)
    assert not again.counts.get("updates")
    assert Contact.objects.count() == 2
    assert Contact.tags.through.objects.count() == 4
    assert Tag.objects.filter(name__iexact="autumn").count() == 1
    assert journey.earlier_import(again) == first


def test_update_replaces_what_the_file_says_and_leaves_what_it_leaves_empty(cast: Cast, imported: Checked) -> None:
    AttributeDefinition.objects.create(organization=cast.organization, key="size", label="Size", kind="number")
    anna = ContactFactory(
        organization=cast.organization, name="Anna", phone="+4915112345678", email="a@b.de", notes="Old",
        attributes={"size": 3, "gone": "x"},
    )  # fmt: skip
    importing = imported("Name,Phone,E-mail,Notes,Size\nAnna Schmidt,015112345678,,New,4\n")
    anna.refresh_from_db()
    assert (anna.name, anna.email, anna.notes) == ("Anna Schmidt", "a@b.de", "New")
    assert anna.attributes == {"size": 4, "gone": "x"}
    assert anna.imported_in is None
    assert importing.counts["updates"] == 1


def test_who_is_known_can_be_left_alone(cast: Cast, imported: Checked) -> None:
    anna = ContactFactory(organization=cast.organization, name="Anna", phone="+4915112345678")
    importing = imported("Name,Phone\nSomebody,015112345678\nBob,015112345679\n", existing="skip", tags=["New"])
    anna.refresh_from_db()
    assert anna.name == "Anna"
    assert not anna.tags.exists()
    assert (importing.counts["skipped"], importing.counts["new"]) == (1, 1)


def test_contact_of_another_organization_is_another_contact(cast: Cast, imported: Checked) -> None:
    theirs = ContactFactory(organization=cast.other, name="Theirs", phone="+4915112345678")
    imported("Name,Phone\nOurs,015112345678\n")
    theirs.refresh_from_db()
    assert theirs.name == "Theirs"
    assert Contact.objects.get(organization=cast.organization).name == "Ours"


def test_number_that_stands_twice_is_taken_once(cast: Cast, imported: Checked) -> None:
    importing = imported("Name,Phone\nAnna,015112345678\nBob,nothing\nAgain,+49 151 12345678\n")
    assert Contact.objects.get().name == "Anna"
    assert (importing.counts["repeated"], importing.counts["bad"], importing.wrong_count) == (1, 1, 2)
    assert [row["number"] for row in importing.first_wrong] == [3, 4]
    assert "row 2" in str(importing.first_wrong[1])


def test_good_row_is_taken_where_an_earlier_one_with_its_number_is_not(cast: Cast, imported: Checked) -> None:
    imported("Name,Phone,E-mail\nBad,015112345678,no address\nGood,015112345678,a@b.de\n")
    assert Contact.objects.get().name == "Good"


def test_national_numbers_are_read_as_the_member_says(cast: Cast, imported: Checked) -> None:
    imported("Name,Phone\nLéa,06 12 34 56 78\n", region="FR")
    assert Contact.objects.get().phone == "+33612345678"


def test_first_and_last_name_come_together(cast: Cast, imported: Checked) -> None:
    imported("Vorname,Nachname,Telefon\nAda,Lovelace,015112345678\n,Babbage,015112345679\n")
    assert set(Contact.objects.values_list("name", flat=True)) == {"Ada Lovelace", "Babbage"}


def test_work_is_cut_anywhere_and_goes_on(cast: Cast, checked: Checked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.contact_files.passes.BATCH", 7)
    content = "Name,Phone\n" + "".join(f"P{n},+49151{n:08d}\n" for n in range(100)) + "Again,+4915100000003\n"
    importing = checked(content)
    assert (importing.counts["new"], importing.counts["repeated"]) == (100, 1)
    journey.take(importing, actor=cast.owner)
    importing.refresh_from_db()
    monkeypatch.setattr(work, "SLICE", 0.0)  # a batch, then the next slice
    monkeypatch.setattr(work, "TURN", 0.05)
    turns = 0
    assert importing.job is not None
    while not work.run(importing.job.pk):
        turns += 1
        if turns == 1:
            assert Contact.objects.count() % 7 == 0
    importing.refresh_from_db()
    assert importing.state == ContactImport.State.DONE
    assert importing.counts["new"] == Contact.objects.count() == 100


def test_stopped_import_keeps_what_it_did_and_another_goes_on(
    cast: Cast, checked: Checked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.contact_files.passes.BATCH", 10)
    importing = checked("Name,Phone\n" + "".join(f"P{n},+49151{n:08d}\n" for n in range(50)))
    journey.take(importing, actor=cast.owner)
    importing.refresh_from_db()
    assert importing.job is not None
    with monkeypatch.context() as patch:
        patch.setattr(work, "SLICE", 0.0)
        patch.setattr(work, "_is_mine", lambda job: False)  # the turn ends after one slice
        work.run(importing.job.pk)
    work.cancel(importing.job)
    importing = ContactImport.objects.select_related("job").get(pk=importing.pk)
    count = Contact.objects.count()
    assert 0 < count < 50
    assert importing.has_stopped
    with pytest.raises(ImportProblem):
        journey.back_to_mapping(importing)
    journey.take(importing, actor=cast.owner)
    done = finish_job(importing)
    assert done.state == ContactImport.State.DONE
    assert Contact.objects.count() == done.counts["new"] == 50


def test_steps_out_of_turn_are_refused(cast: Cast, checked: Checked) -> None:
    importing = checked("Name,Phone\nAnna,015112345678\n")
    journey.take(importing, actor=cast.owner)
    for step in (journey.back_to_mapping, journey.discard, lambda row: journey.take(row, actor=cast.owner)):
        with pytest.raises(ImportProblem, match="under way"):
            step(importing)
    done = finish_job(importing)
    for step in (journey.back_to_mapping, journey.discard, lambda row: journey.take(row, actor=cast.owner)):
        with pytest.raises(ImportProblem):
            step(done)
    assert Contact.objects.count() == 1


def test_other_columns_are_checked_anew(cast: Cast, checked: Checked) -> None:
    importing = checked("A,B\n015112345678,015112345679\n", columns={"phone": 0})
    journey.back_to_mapping(importing)
    journey.check(importing, mapping={"phone": 1}, options={}, actor=cast.owner)
    importing = finish_job(importing)
    assert importing.counts["new"] == 1
    assert list(ImportedNumber.objects.values_list("phone", flat=True)) == ["+4915112345679"]


def test_file_that_was_forgotten_ends_the_work_in_words(cast: Cast, checked: Checked) -> None:
    importing = checked("Name,Phone\nAnna,015112345678\n")
    journey.take(importing, actor=cast.owner)
    assert importing.upload is not None
    importing.upload.delete()
    importing = finish_job(importing)
    assert importing.job is not None
    assert "Upload it again" in importing.job.error
    assert not Contact.objects.exists()
    assert importing.has_stopped


def test_many_rows_cost_few_statements(cast: Cast, checked: Checked, django_assert_max_num_queries: object) -> None:
    importing = checked("Name,Phone,Tags\n" + "".join(f"P{n},+49151{n:08d},T{n % 9}\n" for n in range(500)), tags=["A"])
    journey.take(importing, actor=cast.owner)
    with django_assert_max_num_queries(60):  # type: ignore[operator]
        done = finish_job(importing)
    assert done.counts["new"] == 500
