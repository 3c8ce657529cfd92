"""The pages of broadcasts, from the empty list to the results."""

import io
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from integrations.connections.models import Connection
from messaging.broadcasts import feeder, lifecycle
from messaging.broadcasts.models import Broadcast
from messaging.broadcasts.safety import safe_to_send_again
from messaging.contacts.models import SavedFilter, Tag
from messaging.csv_files.models import Upload
from messaging.sending.models import Message
from messaging.sending.statuses import Status
from messaging.sending.transitions import Move, advance
from messaging.templates.models import Template
from messaging.templatetags.hg_broadcasts import amount
from tests.conftest import Cast
from tests.factories import ContactFactory

from .conftest import number, run_check

Make = Callable[..., Broadcast]
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01"


@pytest.fixture
def agent(cast: Cast) -> Client:
    return cast.client("agent")


def table(rows: int, *, broken: int = 0, header: str = "Name;Phone") -> bytes:
    """Return a file with a heading and rows; of the broken row (as a spreadsheet counts) the name is missing."""
    lines = [header]
    for n in range(2, rows + 2):
        lines.append(f"{'' if n == broken else f'Person {n}'};{number(n)}")
    return ("\r\n".join(lines) + "\r\n").encode()


def form(**fields: Any) -> dict[str, Any]:
    return {
        "name": "Depot closed",
        "body": "Closed today.",
        "purpose": "transactional",
        "audience": "contacts",
        **fields,
    }


def upload(client: Client, cast: Cast, broadcast: Broadcast, data: bytes) -> Any:
    file = SimpleUploadedFile("people.csv", data, content_type="text/csv")
    return client.post(cast.url(f"broadcasts/{broadcast.pk}/file/"), {"file": file})


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def test_an_empty_list_offers_the_first_step(cast: Cast, agent: Client) -> None:
    assert "Prepare the first broadcast" in text_of(agent.get(cast.url("broadcasts/")))
    assert "Prepare the first" not in text_of(cast.client("viewer").get(cast.url("broadcasts/")))


def test_the_list_is_searched_without_telling_the_address_what_for(checked: Make, cast: Cast, agent: Client) -> None:
    checked([number(1)], name="Depot Hamburg")
    checked([number(1)], name="Summer sale")
    answer = agent.post(cast.url("broadcasts/"), {"q": "summer"})
    assert "summer" not in answer["Location"]
    page = text_of(agent.get(answer["Location"]))
    assert "Summer sale" in page
    assert "Depot Hamburg" not in page


def test_the_list_asks_as_often_for_many_as_for_one(
    checked: Make, cast: Cast, agent: Client, django_assert_max_num_queries: Any
) -> None:
    for n in range(12):
        checked([number(n)], name=f"Broadcast {n}")
    agent.get(cast.url("broadcasts/"))
    with django_assert_max_num_queries(12):
        agent.get(cast.url("broadcasts/"))


def test_preparing_for_all_contacts_checks_them_and_sends_nothing(
    cast: Cast, agent: Client, connection: Connection
) -> None:
    ContactFactory(organization=cast.organization)
    answer = agent.post(cast.url("broadcasts/new/"), form(request_id=str(uuid.uuid4())))
    broadcast = Broadcast.objects.get()
    assert answer["Location"] == cast.url(f"broadcasts/{broadcast.pk}/")
    assert broadcast.status == "checking"
    assert "Checking the recipients" in text_of(agent.get(answer["Location"]))
    run_check(broadcast)
    page = text_of(agent.get(answer["Location"]))
    assert "Send to 1 person" in page
    assert not Message.objects.exists()


def test_the_same_form_sent_twice_makes_one_broadcast(cast: Cast, agent: Client, connection: Connection) -> None:
    typed = form(request_id=str(uuid.uuid4()))
    agent.post(cast.url("broadcasts/new/"), typed)
    agent.post(cast.url("broadcasts/new/"), typed)
    assert Broadcast.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": " "}, "Give the broadcast a name"),
        ({"body": " "}, "Write the text, or choose a template"),
        ({"body": "Hello {{ name"}, "not closed"),
        ({"audience": "tag"}, "Choose the tag"),
        ({"audience": "filter"}, "Choose the saved filter"),
        ({"audience": "somebody"}, "Select a valid choice"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_what_was_typed_stays(
    cast: Cast, agent: Client, fields: dict[str, Any], words: str
) -> None:
    answer = agent.post(cast.url("broadcasts/new/"), form(**fields))
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert fields.get("body", "Closed today.").strip() in answer.content.decode()
    assert not Broadcast.objects.exists()


def test_a_tag_of_another_organization_is_no_choice(cast: Cast, agent: Client) -> None:
    theirs = Tag.objects.create(organization=cast.other, name="VIP")
    assert agent.post(cast.url("broadcasts/new/"), form(audience="tag", tag=theirs.pk)).status_code == 422


def test_a_saved_filter_chooses_contacts_as_it_was_when_chosen(
    cast: Cast, agent: Client, connection: Connection
) -> None:
    tag = Tag.objects.create(organization=cast.organization, name="VIP")
    chosen, other = (ContactFactory(organization=cast.organization) for _ in range(2))
    chosen.tags.add(tag)
    saved = SavedFilter.objects.create(
        organization=cast.organization, name="Important", wanted={"tags_any": [str(tag.pk)]}
    )
    agent.post(cast.url("broadcasts/new/"), form(audience="filter", saved_filter=saved.pk))
    saved.wanted = {}
    saved.save()
    broadcast = run_check(Broadcast.objects.get())
    assert list(broadcast.recipients.values_list("contact", flat=True)) == [chosen.pk]
    assert "Important" in text_of(agent.get(cast.url(f"broadcasts/{broadcast.pk}/")))


def test_a_file_with_an_error_in_row_812_queues_nothing_until_that_row_is_left_out(
    cast: Cast, agent: Client, connection: Connection, make_template: Callable[[str], Template]
) -> None:
    template = make_template("Hello {{ name }}")
    answer = agent.post(cast.url("broadcasts/new/"), form(audience="csv", template=template.pk, body=""))
    broadcast = Broadcast.objects.get()
    assert answer["Location"] == cast.url(f"broadcasts/{broadcast.pk}/file/")
    answer = upload(agent, cast, broadcast, table(1000, broken=812))
    assert answer["Location"] == cast.url(f"broadcasts/{broadcast.pk}/columns/")
    page = text_of(agent.get(answer["Location"]))
    assert "About 1,000 rows" in page
    assert "semicolon" in page
    answer = agent.post(answer["Location"], {"column_to": "1", "column_name": "0", "has_header": "on"})
    assert answer["Location"] == cast.url(f"broadcasts/{broadcast.pk}/")
    run_check(broadcast)
    assert list(broadcast.recipients.filter(state="bad").values_list("row", "field")) == [(812, "name")]
    page = text_of(agent.get(answer["Location"]))
    assert "1 row is wrong" in page
    assert "812" in page
    assert "A value is missing for name." in page
    assert "Send to 999 people" not in page
    agent.post(cast.url(f"broadcasts/{broadcast.pk}/start/"))
    broadcast.refresh_from_db()
    assert broadcast.status == "ready"
    agent.post(cast.url(f"broadcasts/{broadcast.pk}/skip/"))
    assert "Send to 999 people" in text_of(agent.get(answer["Location"]))
    agent.post(cast.url(f"broadcasts/{broadcast.pk}/start/"))
    feeder.feed_all()
    assert Message.objects.filter(broadcast=broadcast).count() == 999
    assert not Message.objects.filter(broadcast=broadcast, phone=number(812)).exists()


def test_the_report_has_the_whole_row_its_number_and_what_is_wrong_without_formulas(
    cast: Cast, agent: Client, checked_file: Callable[..., Broadcast]
) -> None:
    data = b'Name,Phone\r\n"=HYPERLINK(""http://x"")",nonsense\r\nBo,+4915112000002\r\n'
    broadcast = checked_file(data, text="Hello {{ name }}")
    report = b"".join(agent.get(cast.url(f"broadcasts/{broadcast.pk}/wrong-rows.csv")).streaming_content).decode(
        "utf-8-sig"
    )
    lines = report.splitlines()
    assert lines[0] == 'Name,Phone,Row in your file,"What is wrong, and what to do"'
    assert lines[1].startswith('"\'=HYPERLINK(""http://x"")",nonsense,2,')
    assert len(lines) == 2


@pytest.fixture
def checked_file(cast: Cast, agent: Client, connection: Connection) -> Callable[..., Broadcast]:
    """Upload a file for a broadcast, take the columns as guessed, and check it."""

    def make(data: bytes, *, text: str = "Closed today.") -> Broadcast:
        agent.post(cast.url("broadcasts/new/"), form(audience="csv", body=text, request_id=str(uuid.uuid4())))
        broadcast = Broadcast.objects.latest("created_at")
        assert upload(agent, cast, broadcast, data).status_code == 302
        address = cast.url(f"broadcasts/{broadcast.pk}/columns/")
        mapping = agent.get(address).context["form"].initial
        answer = agent.post(address, {**mapping, "has_header": "on"})
        assert answer.status_code == 302, text_of(answer)
        return run_check(broadcast)

    return make


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (PNG, "picture"),
        (b"", "empty"),
        (b"Name;Town\r\nAnna;Berlin\r\nBo;Hamburg\r\n", None),
        (b"Town\r\nBerlin\r\nHamburg\r\n", "no phone numbers"),
    ],
)
def test_what_is_no_file_of_numbers_is_said(
    cast: Cast, agent: Client, connection: Connection, data: bytes, words: str | None
) -> None:
    agent.post(cast.url("broadcasts/new/"), form(audience="csv"))
    broadcast = Broadcast.objects.get()
    answer = upload(agent, cast, broadcast, data)
    if words is not None:
        assert answer.status_code == 422
        assert words in text_of(answer)
        assert not Upload.objects.exists()
        return
    answer = agent.post(answer["Location"], {"has_header": "on"})
    assert answer.status_code == 422
    assert "Choose the column with the phone number" in text_of(answer)


def test_a_file_that_ends_in_the_middle_of_a_row_loses_no_row_before_it(
    checked_file: Callable[..., Broadcast],
) -> None:
    broadcast = checked_file(b'Name,Phone,Town\r\nAnna,+4915112000001,Berlin\r\nBo,"+49151120000')
    assert list(broadcast.recipients.order_by("row").values_list("row", "state")) == [(2, "ready"), (3, "bad")]
    assert "quotation mark" in broadcast.recipients.get(row=3).problem


def test_cells_with_formulas_are_read_as_text_and_nothing_else(checked_file: Callable[..., Broadcast]) -> None:
    broadcast = checked_file(b"Name,Phone\r\n=1+1,'+4915112000001\r\n", text="Hello {{ name }}")
    assert broadcast.recipients.get().body == "Hello =1+1"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_files_of_other_encodings_are_read(checked_file: Callable[..., Broadcast], encoding: str) -> None:
    text = "姓名\t手机\r\n" + "".join(f"王小明{n}\t{number(n)}\r\n" for n in range(1, 20))
    broadcast = checked_file(text.encode(encoding), text="Hello")
    assert (broadcast.ready_count, broadcast.bad_count) == (19, 0)


def test_a_repeated_upload_replaces_the_first_and_doubles_nobody(
    cast: Cast, agent: Client, checked_file: Callable[..., Broadcast]
) -> None:
    broadcast = checked_file(table(5))
    assert broadcast.ready_count == 5
    upload(agent, cast, broadcast, table(5))
    broadcast.refresh_from_db()
    assert broadcast.status == "draft"
    address = cast.url(f"broadcasts/{broadcast.pk}/columns/")
    agent.post(address, {**agent.get(address).context["form"].initial, "has_header": "on"})
    run_check(broadcast)
    assert broadcast.ready_count == 5
    lifecycle.start(broadcast, actor=cast.agent)
    feeder.feed_all()
    feeder.feed_all()
    assert Message.objects.filter(broadcast=broadcast).count() == 5


def test_a_file_is_taken_for_no_broadcast_that_was_started(
    cast: Cast, agent: Client, checked_file: Callable[..., Broadcast]
) -> None:
    broadcast = checked_file(table(2))
    lifecycle.start(broadcast, actor=cast.agent)
    upload(agent, cast, broadcast, table(9))
    broadcast.refresh_from_db()
    assert (broadcast.status, broadcast.ready_count) == ("running", 2)


def test_changing_the_text_to_one_with_another_variable_asks_for_its_column(
    cast: Cast, agent: Client, checked_file: Callable[..., Broadcast]
) -> None:
    broadcast = checked_file(table(2))
    address = cast.url(f"broadcasts/{broadcast.pk}/edit/")
    assert "Closed today." in text_of(agent.get(address))
    answer = agent.post(address, form(audience="csv", body="See you on {{ day }}"))
    assert answer["Location"] == cast.url(f"broadcasts/{broadcast.pk}/columns/")
    answer = agent.post(answer["Location"], {"column_to": "1", "has_header": "on"})
    assert "Choose the column with the day" in text_of(answer)


def test_the_dry_run_shows_texts_countries_and_who_is_left_out(checked: Make, cast: Cast, agent: Client) -> None:
    broadcast = checked([number(1), "+33612345678", number(1), "+4930123456"], body='Hello {{ name | "you" }}')
    page = text_of(agent.get(cast.url(f"broadcasts/{broadcast.pk}/")))
    for words in ("Hello you", "Germany", "France", "Repeats another row: 1", "Landline: 1", "Send to 2 people"):
        assert words in page
    rows = text_of(agent.get(cast.url(f"broadcasts/{broadcast.pk}/rows/") + "?show=left_out:duplicate"))
    assert "Repeats row 1" in rows


def test_the_second_start_is_told_who_was_first(checked: Make, cast: Cast) -> None:
    broadcast = checked([number(1)])
    address = cast.url(f"broadcasts/{broadcast.pk}/start/")
    cast.client("admin").post(address)
    page = text_of(cast.client("owner").post(address, follow=True))
    assert "already started by Admin" in page


def test_progress_is_told_and_the_page_turns_over_when_it_is_done(running: Make, cast: Cast, agent: Client) -> None:
    broadcast = running([number(1), number(2)])
    feeder.feed_all()
    address = cast.url(f"broadcasts/{broadcast.pk}/")
    part = agent.get(f"{address}?was=running", headers={"HX-Request": "true"})
    assert "0 of 2" in text_of(part)
    assert "<html" not in part.content.decode()
    ids = Message.objects.filter(broadcast=broadcast).values_list("pk", flat=True)
    advance(Move(message_id=pk, to=Status.DELIVERED, source="callback") for pk in ids)
    feeder.feed_all()
    assert agent.get(f"{address}?was=running", headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    assert "2 of 2" in text_of(agent.get(address))


def test_pausing_resuming_and_canceling_by_page(running: Make, cast: Cast, agent: Client) -> None:
    broadcast = running([number(n) for n in range(1, 5)])
    feeder.feed_all()
    address = cast.url(f"broadcasts/{broadcast.pk}/")
    assert "Resume" in text_of(agent.post(f"{address}pause/", follow=True))
    assert "Pause" in text_of(agent.post(f"{address}resume/", follow=True))
    asked = text_of(agent.get(f"{address}cancel/"))
    assert "Cancel for 4 people" in asked
    page = text_of(agent.post(f"{address}cancel/", follow=True))
    assert "canceled" in page
    assert set(Message.objects.values_list("status", flat=True)) == {"canceled"}
    assert agent.get(f"{address}cancel/").status_code == 302


def test_results_are_grouped_by_cause_and_sent_again_to_those_it_is_safe_for(
    running: Make, cast: Cast, agent: Client
) -> None:
    broadcast = running([number(n) for n in range(1, 6)], body="Hello")
    feeder.feed_all()
    messages = list(Message.objects.filter(broadcast=broadcast).order_by("broadcast_row"))
    ends: list[tuple[Status, int | None, str]] = [
        (Status.DELIVERED, None, ""),
        (Status.UNDELIVERED, 30006, ""),  # a landline: never
        (Status.UNDELIVERED, 30003, ""),  # unreachable for now: later
        (Status.FAILED, None, "expired"),
        (Status.BLOCKED, None, "opted_out"),
    ]
    advance(
        Move(
            message_id=message.pk,
            to=to,
            source="callback",
            error_code=code,
            reason=reason,
            price="0.07",
            price_unit="USD",
        )
        for message, (to, code, reason) in zip(messages, ends, strict=True)
    )
    feeder.feed_all()
    address = cast.url(f"broadcasts/{broadcast.pk}/")
    page = text_of(agent.get(address))
    assert "1 × " in page
    assert "safe to send it again to 2 people" in page
    assert "Not to the other 2" in page
    assert "0.2100 USD" in page  # delivered and undelivered ones were handed over
    listed = text_of(agent.get(f"{address}rows/?show=undelivered:30003"))
    assert str(messages[2].pk) in listed
    answer = agent.post(f"{address}again/")
    again = Broadcast.objects.get(retry_of=broadcast)
    assert answer["Location"] == cast.url(f"broadcasts/{again.pk}/")
    run_check(again)
    assert list(again.recipients.order_by("row").values_list("row", "phone", "body")) == [
        (3, number(3), "Hello"),
        (4, number(4), "Hello"),
    ]
    agent.post(f"{address}again/")
    assert Broadcast.objects.filter(retry_of=broadcast).count() == 1
    lifecycle.start(again, actor=cast.agent)
    feeder.feed_all()
    assert Message.objects.filter(broadcast=again).count() == 2
    lifecycle.cancel(again, actor=cast.agent)
    assert "nobody to whom" in text_of(agent.get(address))


def test_an_unknown_outcome_is_never_sent_again(running: Make, cast: Cast, agent: Client) -> None:
    broadcast = running([number(1), number(2)])
    feeder.feed_all()
    Message.objects.filter(broadcast=broadcast).update(status="unknown", needs_person=True)
    feeder.feed_all()
    broadcast.refresh_from_db()
    assert broadcast.status == "done"
    page = text_of(agent.get(cast.url(f"broadcasts/{broadcast.pk}/")))
    assert "A person must look." in page
    agent.post(cast.url(f"broadcasts/{broadcast.pk}/again/"))
    assert not Broadcast.objects.filter(retry_of=broadcast).exists()


def test_the_results_are_downloaded_with_every_row(checked: Make, cast: Cast, agent: Client) -> None:
    broadcast = checked([number(1), "=cmd|' /C calc'!A0", number(1)])
    lifecycle.skip_bad_rows(broadcast, actor=cast.agent)
    lifecycle.start(broadcast, actor=cast.agent)
    feeder.feed_all()
    answer = agent.get(cast.url(f"broadcasts/{broadcast.pk}/results.csv"))
    lines = io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig")).read().splitlines()
    assert len(lines) == 4
    assert lines[1].startswith(f"1,'{number(1)},Germany,Queued")
    assert lines[2].startswith("2,'=cmd")
    assert "Wrong row" in lines[2]
    assert "Left out,Repeats another row (row 1)" in lines[3]


def test_a_draft_is_deleted_after_its_consequence_was_read(checked: Make, cast: Cast, agent: Client) -> None:
    broadcast = checked([number(1)])
    address = cast.url(f"broadcasts/{broadcast.pk}/delete/")
    assert "Delete Depot" in text_of(agent.get(address))
    agent.post(address)
    assert not Broadcast.objects.exists()


def test_a_viewer_looks_and_changes_nothing(checked: Make, cast: Cast) -> None:
    broadcast = checked([number(1)])
    viewer = cast.client("viewer")
    address = cast.url(f"broadcasts/{broadcast.pk}/")
    page = text_of(viewer.get(address))
    assert "Send to" not in page
    for step in ("start", "pause", "resume", "cancel", "skip", "again", "check", "delete"):
        assert viewer.post(f"{address}{step}/").status_code == 403
    broadcast.refresh_from_db()
    assert broadcast.status == "ready"


def test_a_stranger_finds_nothing(checked: Make, cast: Cast) -> None:
    broadcast = checked([number(1)])
    stranger = cast.client("stranger")
    for step in ("", "rows/", "results.csv", "wrong-rows.csv", "edit/", "file/"):
        assert stranger.get(cast.url(f"broadcasts/{broadcast.pk}/{step}")).status_code == 404
        assert stranger.get(f"/o/{cast.other.slug}/broadcasts/{broadcast.pk}/{step}").status_code == 404
    for step in ("start", "cancel", "skip", "again"):
        assert stranger.post(f"/o/{cast.other.slug}/broadcasts/{broadcast.pk}/{step}/").status_code == 404
    broadcast.refresh_from_db()
    assert broadcast.status == "ready"


def test_a_message_leads_to_its_broadcast_and_says_that_it_waits_for_it(
    running: Make, cast: Cast, agent: Client
) -> None:
    broadcast = running([number(1)])
    feeder.feed_all()
    lifecycle.pause(broadcast, actor=cast.agent)
    page = text_of(agent.get(cast.url(f"messages/{Message.objects.get().pk}/")))
    assert cast.url(f"broadcasts/{broadcast.pk}/") in page
    assert "until its broadcast goes on" in page
    assert "9999" not in page


def test_an_emptied_message_is_not_sent_again(running: Make, cast: Cast) -> None:
    broadcast = running([number(1), number(2)])
    feeder.feed_all()
    Message.objects.filter(broadcast=broadcast).update(status="failed", error_reason="expired")
    Message.objects.filter(broadcast=broadcast, broadcast_row=1).update(body="")
    assert list(safe_to_send_again(broadcast).values_list("broadcast_row", flat=True)) == [2]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("8.5058", "8.51"),
        ("1234.5", "1,234.50"),
        ("0.0079", "0.0079"),
        ("0.268", "0.2680"),
        ("0", "0.00"),
    ],
)
def test_amounts_are_written_for_people(value: str, words: str) -> None:
    assert amount(value) == words
