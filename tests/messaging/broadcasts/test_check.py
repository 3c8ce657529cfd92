"""The check: every row looked at, once, whatever interrupts it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from messaging.broadcasts import checking, creating, feeder, lifecycle
from messaging.broadcasts.models import Broadcast, Recipient
from messaging.consent.ledger import Entry, record_consent
from messaging.consent.opt_outs import opt_out
from messaging.contacts.models import Tag
from messaging.jobs import work
from messaging.sending.policy import change_policy
from messaging.templates.models import Template
from tests.conftest import Cast
from tests.factories import ContactFactory

from .conftest import job_of, number, run_check

Make = Callable[..., Broadcast]
BERLIN = "+4930123456"


def found(broadcast: Broadcast) -> list[tuple[int, str, str]]:
    return list(broadcast.recipients.order_by("row").values_list("row", "state", "reason"))


def test_good_rows_are_frozen_as_they_will_be_sent(checked: Make, cast: Cast) -> None:
    broadcast = checked(["0151 12345678", number(2)], body="Closed today — sorry.")
    assert broadcast.status == "ready"
    assert (broadcast.ready_count, broadcast.left_out_count, broadcast.bad_count) == (2, 0, 0)
    first = broadcast.recipients.get(row=1)
    assert first.phone == "+4915112345678"
    assert (first.body, first.encoding, first.segments, first.region) == ("Closed today — sorry.", "UCS-2", 1, "DE")


def test_a_number_that_comes_twice_gets_the_broadcast_once_and_names_the_row_it_repeats(checked: Make) -> None:
    broadcast = checked([number(1), number(2), "0151 12000001"])
    assert found(broadcast) == [(1, "ready", ""), (2, "ready", ""), (3, "left_out", "duplicate")]
    assert broadcast.recipients.get(row=3).repeats_row == 1


def test_a_number_that_comes_again_in_a_later_slice_is_a_duplicate_too(
    checked: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "SLICE_ROWS", 2)
    broadcast = checked([number(1), number(2), number(3), number(1), number(1)])
    assert [row for row, state, reason in found(broadcast) if reason == "duplicate"] == [4, 5]
    assert set(broadcast.recipients.filter(reason="duplicate").values_list("repeats_row", flat=True)) == {1}


def test_a_wrong_row_does_not_make_the_next_one_with_its_number_a_duplicate(checked: Make) -> None:
    broadcast = checked(
        [{"to": number(1)}, {"to": number(1), "variables": {"day": "Monday"}}], body="See you {{ day }}"
    )
    assert found(broadcast) == [(1, "bad", "missing_variable"), (2, "ready", "")]


def test_who_opted_out_is_left_out(checked: Make, cast: Cast) -> None:
    opt_out(cast.organization, phone=number(1), source="keyword")
    broadcast = checked([number(1), number(2)])
    assert found(broadcast)[0] == (1, "left_out", "opted_out")
    assert broadcast.summary["left_out"] == {"opted_out": 1}


@pytest.mark.parametrize(("is_ours", "state"), [(True, "left_out"), (False, "ready")])
def test_a_narrow_opt_out_counts_for_its_sender_only(
    checked: Make, cast: Cast, is_ours: bool, state: str, connection: Any
) -> None:
    sender = connection.messaging_service_sid if is_ours else "MG" + "9" * 32
    opt_out(cast.organization, phone=number(1), source="twilio", scope="sender", sender=sender)
    assert found(checked([number(1)]))[0][1] == state


def test_marketing_goes_only_to_who_agreed_to_it(checked: Make, cast: Cast) -> None:
    record_consent(cast.organization, Entry(phone=number(1), action="granted", source="staff", reason="signed up"))
    record_consent(cast.other, Entry(phone=number(2), action="granted", source="staff", reason="signed up"))
    broadcast = checked([number(1), number(2)], purpose="marketing")
    assert found(broadcast) == [(1, "ready", ""), (2, "left_out", "no_consent")]


def test_countries_that_the_organization_blocks_are_left_out(checked: Make, cast: Cast) -> None:
    change_policy(cast.organization, values={"blocked_regions": ["FR"]}, actor=cast.admin)
    assert found(checked([number(1), "+33612345678"]))[1] == (2, "left_out", "blocked_country")


def test_an_opt_out_of_another_organization_means_nothing_here(checked: Make, cast: Cast) -> None:
    opt_out(cast.other, phone=number(1), source="keyword")
    assert found(checked([number(1)])) == [(1, "ready", "")]


def test_landlines_are_left_out_unless_they_are_wanted(checked: Make) -> None:
    assert found(checked([BERLIN])) == [(1, "left_out", "landline")]
    assert found(checked([BERLIN], includes_landlines=True)) == [(1, "ready", "")]


def test_mainland_china_has_no_way_yet(checked: Make) -> None:
    assert found(checked(["+8613812345678"])) == [(1, "left_out", "no_route")]


@pytest.mark.parametrize(
    ("given", "reason", "field"),
    [
        ({"to": "+49 151"}, "too_short", "to"),
        ({"to": "Anna"}, "not_a_number", "to"),
        ({"to": number(1), "variables": {}}, "missing_variable", "day"),
        ({"to": number(1), "variables": {"day": "   "}}, "missing_variable", "day"),
        ({"to": number(1), "variables": {"day": "x" * 1600}}, "too_long", "day"),
    ],
)
def test_what_is_wrong_stands_at_its_field(checked: Make, given: dict[str, Any], reason: str, field: str) -> None:
    broadcast = checked([given], body="See you {{ day }}")
    row = broadcast.recipients.get()
    assert (row.state, row.reason, row.field) == ("bad", reason, field)
    assert row.problem
    assert broadcast.bad_count == 1


def test_a_text_of_nothing_but_an_empty_value_is_wrong(checked: Make) -> None:
    broadcast = checked([{"to": number(1), "variables": {}}], body='{{ day | "" }}')
    assert found(broadcast) == [(1, "bad", "empty_text")]


def test_a_template_variable_missing_in_row_812_is_found_among_all_rows(
    checked: Make, make_template: Callable[[str], Template]
) -> None:
    rows = [{"to": number(n), "variables": {"name": f"Person {n}"}} for n in range(1, 1001)]
    del rows[811]["variables"]["name"]
    broadcast = checked(rows, template=make_template("Hello {{ name }}"))
    assert list(broadcast.recipients.filter(state="bad").values_list("row", flat=True)) == [812]
    assert (broadcast.ready_count, broadcast.bad_count) == (999, 1)
    assert "name" in broadcast.recipients.get(row=812).problem


def test_what_the_contact_has_fills_the_text_and_what_was_given_comes_first(checked: Make, cast: Cast) -> None:
    ContactFactory(organization=cast.organization, phone=number(1), name="Anna Schmidt")
    ContactFactory(organization=cast.other, phone=number(2), name="Somebody else's")
    broadcast = checked(
        [number(1), {"to": number(2), "variables": {"name": "Bo"}}], body="Hello {{ name }} of {{ organization }}"
    )
    texts = list(broadcast.recipients.order_by("row").values_list("body", flat=True))
    assert texts == ["Hello Anna Schmidt of Acme Logistics", "Hello Bo of Acme Logistics"]
    assert broadcast.recipients.get(row=2).contact is None


def test_all_contacts_and_those_with_a_tag_are_read_from_this_organization_only(checked: Make, cast: Cast) -> None:
    contacts = [ContactFactory(organization=cast.organization) for _ in range(3)]
    stranger = ContactFactory(organization=cast.other)
    tag = Tag.objects.create(organization=cast.organization, name="VIP")
    contacts[1].tags.add(tag)
    stranger.tags.add(Tag.objects.create(organization=cast.other, name="VIP"))
    everybody = checked(audience="contacts")
    assert set(everybody.recipients.values_list("phone", flat=True)) == {contact.phone for contact in contacts}
    assert everybody.recipients.get(row=1).contact == contacts[0]
    tagged = checked(audience="tag", source={"tag": str(tag.pk)})
    assert list(tagged.recipients.values_list("phone", flat=True)) == [contacts[1].phone]


def test_many_slices_are_as_one(checked: Make, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "SLICE_ROWS", 3)
    for _ in range(10):
        ContactFactory(organization=cast.organization)
    broadcast = checked(audience="contacts")
    assert [row for row, *_ in found(broadcast)] == list(range(1, 11))
    assert job_of(broadcast).done == 10


def test_a_check_killed_between_two_slices_goes_on_behind_the_last_one(
    draft: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "SLICE_ROWS", 2)
    broadcast = draft([number(n) for n in range(1, 8)])
    lifecycle.begin_check(broadcast)
    slices = 0
    genuine = checking.store

    def dies(*args: Any) -> None:
        nonlocal slices
        slices += 1
        genuine(*args)
        if slices in {2, 4}:
            raise RuntimeError("killed after the rows were written, before they were committed")

    monkeypatch.setattr(checking, "store", dies)
    broadcast.refresh_from_db()
    job = job_of(broadcast)
    for _ in range(4):
        work.Job.objects.filter(pk=job.pk, state__in=["waiting", "running"]).update(lease_until=None, lease_token=None)
        work.run(job.pk)
    broadcast.refresh_from_db()
    assert slices > 4
    assert broadcast.status == "ready"
    assert found(broadcast) == [(n, "ready", "") for n in range(1, 8)]


def test_a_row_cannot_be_stored_twice_nor_a_number_be_ready_twice(checked: Make) -> None:
    broadcast = checked([number(1)])
    for row, phone in ((1, number(2)), (2, number(1))):
        with pytest.raises(IntegrityError), transaction.atomic():
            Recipient.objects.create(broadcast=broadcast, row=row, phone=phone, state="ready")


def test_checking_again_forgets_what_was_found_and_the_choice_that_was_made(checked: Make, cast: Cast) -> None:
    broadcast = checked([number(1), "nonsense"])
    assert lifecycle.skip_bad_rows(broadcast, actor=cast.admin)
    creating.add_recipients(broadcast, [{"to": number(3)}])
    lifecycle.begin_check(broadcast)
    assert broadcast.status == "checking"
    assert not broadcast.skips_bad
    run_check(broadcast)
    assert [state for _, state, _ in found(broadcast)] == ["ready", "bad", "ready"]


def test_an_older_check_that_is_still_running_changes_nothing(draft: Make) -> None:
    broadcast = draft([number(1)])
    lifecycle.begin_check(broadcast)
    older = job_of(broadcast)
    lifecycle.begin_check(broadcast)
    assert work.run(older.pk)
    assert broadcast.recipients.count() == 0
    assert run_check(broadcast).ready_count == 1


def test_canceling_ends_the_check(draft: Make, cast: Cast) -> None:
    broadcast = draft([number(1)])
    lifecycle.begin_check(broadcast)
    assert lifecycle.cancel(broadcast, actor=cast.admin)
    run_check(broadcast)
    assert broadcast.status == "canceled"
    assert broadcast.recipients.count() == 0


def test_a_text_that_cannot_be_read_is_said_and_leaves_a_draft(draft: Make) -> None:
    broadcast = draft([number(1)])
    Broadcast.objects.filter(pk=broadcast.pk).update(body="Hello {{ name")
    lifecycle.begin_check(broadcast)
    run_check(broadcast)
    assert broadcast.status == "draft"
    assert "not closed" in broadcast.check_error
    assert job_of(broadcast).state == "failed"


def test_the_summary_counts_by_country_encoding_and_length(checked: Make) -> None:
    broadcast = checked(
        [
            {"to": number(1), "variables": {"t": "short"}},
            {"to": "+33612345678", "variables": {"t": "l" * 200}},
            {"to": "+33612345679", "variables": {"t": "żółw"}},
        ],
        body="{{ t }}",
    )
    summary = broadcast.summary
    assert summary["regions"] == [
        {"region": "FR", "count": 2, "segments": 3},
        {"region": "DE", "count": 1, "segments": 1},
    ]
    assert summary["encodings"] == {"GSM-7": 2, "UCS-2": 1}
    assert summary["sizes"] == [[1, 2], [2, 1]]
    assert summary["segments"] == 4
    assert summary["samples"] == [1, 3, 2]


def test_a_slice_asks_the_database_as_often_for_a_thousand_rows_as_for_one(
    draft: Make, django_assert_max_num_queries: Any
) -> None:
    broadcast = draft([number(n) for n in range(1, 1001)])
    lifecycle.begin_check(broadcast)
    with django_assert_max_num_queries(40):
        run_check(broadcast)
    assert broadcast.ready_count == 1000


def test_a_check_that_fails_again_and_again_leaves_a_draft_that_says_so(
    draft: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: Any) -> None:
        raise RuntimeError("a fault nobody foresaw")

    broadcast = draft([number(1)])
    lifecycle.begin_check(broadcast)
    monkeypatch.setattr(checking, "store", fails)
    job = job_of(broadcast)
    for _ in range(work.MOST_FAILURES):
        work.Job.objects.filter(pk=job.pk).update(lease_until=None, lease_token=None)
        work.run(job.pk)
    assert job_of(broadcast).state == "failed"
    feeder.feed_all()
    broadcast.refresh_from_db()
    assert broadcast.status == "draft"
    assert "failed on our side" in broadcast.check_error
