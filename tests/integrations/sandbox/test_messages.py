"""Messages: what is refused, how they go on, how they are listed."""

import time
from urllib.parse import urlsplit

import pytest

from tests.plugins.sandbox import SandboxApi, SandboxServer, wait_until


def test_message_from_a_service_has_no_sender_until_it_is_queued(api: SandboxApi) -> None:
    created = api.send().json()
    assert (created["status"], created["from"], created["num_segments"], created["price"]) == (
        "accepted",
        None,
        "0",
        None,
    )
    wait_until(lambda: api.message(created["sid"])["status"] == "delivered")
    done = api.message(created["sid"])
    assert done["from"] == api.credentials.phone_number
    assert (done["num_segments"], done["price"], done["price_unit"]) == ("1", "-0.10000", "USD")
    assert done["date_sent"] is not None
    assert done["error_code"] is None


def test_message_from_a_number_is_queued(api: SandboxApi) -> None:
    created = api.send(From=api.credentials.phone_number).json()
    assert (created["status"], created["from"]) == ("queued", api.credentials.phone_number)
    assert created["messaging_service_sid"] is None


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"To": ""}, 21604),
        ({"To": "12345"}, 21211),
        ({"To": "+49"}, 21211),
        ({"To": "+999123456789"}, 21211),
        ({"Body": ""}, 21602),
        ({"Body": "x" * 1601}, 21617),
        ({"MessagingServiceSid": ""}, 21603),
        ({"MessagingServiceSid": "MG" + "0" * 32}, 21701),
        ({"MessagingServiceSid": "MGx"}, 21705),
        ({"MessagingServiceSid": "", "From": "+12125550100"}, 21606),
        ({"MessagingServiceSid": "", "From": "+1"}, 21212),
        ({"MessagingServiceSid": "", "From": "ALongSenderName"}, 21212),
        ({"MessagingServiceSid": "", "From": "Parcels", "To": "+12125550100"}, 21612),
        ({"StatusCallback": "ftp://example.com"}, 21609),
        ({"StatusCallback": "https://under_score.example.com/x"}, 21609),
        ({"StatusCallback": "/relative"}, 21609),
        ({"ValidityPeriod": "0"}, 21624),
        ({"ValidityPeriod": "36001"}, 21624),
        ({"To": "+989121234567"}, 21408),
        ({"To": "whatsapp:+4915112345678"}, 63007),
        ({"SendAt": "2030-01-01T00:00:00Z"}, 35111),
        ({"ScheduleType": "fixed", "SendAt": "tomorrow"}, 35114),
        ({"ScheduleType": "fixed", "SendAt": "2001-01-01T00:00:00Z"}, 35114),
        ({"MessagingServiceSid": "", "From": "Parcels", "ScheduleType": "fixed"}, 35118),
        ({"ContentSid": "HX" + "0" * 32}, 20501),
        ({"MediaUrl": "nowhere"}, 21620),
    ],
)
def test_bad_request_is_refused_and_nothing_is_stored(
    sandbox: SandboxServer, api: SandboxApi, form: dict[str, str], code: int
) -> None:
    fields = {"To": "+4915112345678", "Body": "Hello", "MessagingServiceSid": api.credentials.messaging_service_sid}
    answer = api.account("POST", "/Messages.json", data=fields | form)
    assert answer.json()["code"] == code
    assert answer.status_code == answer.json()["status"] >= 400
    assert sandbox.control.messages() == []


def test_sixteen_hundred_characters_are_accepted(api: SandboxApi) -> None:
    assert api.send(body="x" * 1600).status_code == 201


def test_sender_cannot_write_to_itself(api: SandboxApi) -> None:
    number = api.credentials.phone_number
    assert api.send(to=number, From=number).json()["code"] == 21266


def test_alphanumeric_sender_is_good_outside_north_america(api: SandboxApi) -> None:
    assert api.send(From="Parcels").json()["from"] == "Parcels"


def test_empty_pool_is_refused(api: SandboxApi) -> None:
    service = api.call("POST", "messaging", "/v1/Services", data={"FriendlyName": "Empty"}).json()
    assert api.send(MessagingServiceSid=service["sid"]).json()["code"] == 21704


def test_error_messages_do_not_show_whole_numbers(api: SandboxApi) -> None:
    answer = api.send(From="+12125550100").json()
    assert "+12125550100" not in answer["message"]
    assert "+1212555XXXX" in answer["message"]


# ---- trial accounts, landlines, well-known outcomes


def test_trial_account_reaches_verified_numbers_only_and_marks_its_texts(
    sandbox: SandboxServer, api: SandboxApi
) -> None:
    sandbox.control.change_account(api.credentials.account_sid, type="Trial", verified_numbers=["+4915112345678"])
    assert api.send(to="+4915112345679").json()["code"] == 21608
    body = api.send(body="Hello").json()["body"]
    assert body != "Hello"
    assert body.endswith("Hello")


def test_landlines_are_refused_when_the_dial_says_so(sandbox: SandboxServer, api: SandboxApi) -> None:
    assert api.send(to="+493012345678").status_code == 201
    sandbox.control.change_dials({"refuse_landlines": True})
    assert api.send(to="+493012345678").json()["code"] == 21614


@pytest.mark.parametrize(("number", "code"), [("+12025550112", 21612), ("+12025550110", 21610)])
def test_well_known_number_refuses(api: SandboxApi, number: str, code: int) -> None:
    assert api.send(to=number).json()["code"] == code


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [("+12025550103", "undelivered", 30003), ("+12025550134", "failed", 30034), ("+12025550150", "sent", None)],
)
def test_well_known_number_ends_as_documented(
    sandbox: SandboxServer, api: SandboxApi, number: str, status: str, code: int | None
) -> None:
    sid = api.send(to=number).json()["sid"]
    wait_until(lambda: sandbox.control.stats()["timers"] == 0)
    message = api.message(sid)
    assert (message["status"], message["error_code"]) == (status, code)
    assert (message["price"] is None) == (status == "failed")


def test_message_that_waits_longer_than_its_validity_fails(sandbox: SandboxServer, api: SandboxApi) -> None:
    sandbox.control.change_dials({"carrier": {"sent_after_s": 100}})
    sid = api.send(ValidityPeriod="1").json()["sid"]
    sandbox.control.advance_clock(50)
    wait_until(lambda: api.message(sid)["status"] != "accepted")
    for _ in range(3):
        sandbox.control.advance_clock(50)
    wait_until(lambda: api.message(sid)["status"] == "failed")
    assert api.message(sid)["error_code"] == 30036


# ---- scheduling


def _in(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def test_scheduled_message_waits_for_its_time(sandbox: SandboxServer, api: SandboxApi) -> None:
    message = api.send(ScheduleType="fixed", SendAt=_in(3600)).json()
    assert message["status"] == "scheduled"
    sandbox.control.advance_clock(1800)
    assert api.message(message["sid"])["status"] == "scheduled"
    sandbox.control.advance_clock(1900)
    wait_until(lambda: api.message(message["sid"])["status"] == "delivered")


def test_scheduled_message_can_be_canceled_once(sandbox: SandboxServer, api: SandboxApi) -> None:
    sid = api.send(ScheduleType="fixed", SendAt=_in(3600)).json()["sid"]
    canceled = api.account("POST", f"/Messages/{sid}.json", data={"Status": "canceled"})
    assert (canceled.status_code, canceled.json()["status"]) == (200, "canceled")
    again = api.account("POST", f"/Messages/{sid}.json", data={"Status": "canceled"})
    assert (again.status_code, again.json()["code"]) == (409, 30409)
    sandbox.control.advance_clock(4000)
    assert api.message(sid)["status"] == "canceled"


def test_schedule_window_is_300_seconds_to_35_days(api: SandboxApi) -> None:
    for seconds, status in ((290, 400), (320, 201), (35 * 86_400 - 60, 201), (35 * 86_400 + 60, 400)):
        assert api.send(ScheduleType="fixed", SendAt=_in(seconds)).status_code == status


# ---- the resource


def test_redacted_message_keeps_everything_but_its_text(api: SandboxApi) -> None:
    sid = api.send(body="secret").json()["sid"]
    redacted = api.account("POST", f"/Messages/{sid}.json", data={"Body": ""})
    assert (redacted.status_code, redacted.json()["body"]) == (200, "")
    assert api.account("POST", f"/Messages/{sid}.json", data={"Body": "new"}).status_code == 400
    assert api.account("POST", f"/Messages/{sid}.json", data={}).status_code == 400


def test_deleted_message_is_gone(api: SandboxApi) -> None:
    sid = api.send().json()["sid"]
    assert api.account("DELETE", f"/Messages/{sid}.json").status_code == 204
    assert api.account("GET", f"/Messages/{sid}.json").json()["code"] == 20404
    assert api.account("GET", "/Messages.json").json()["messages"] == []


def test_list_is_paged_newest_first_with_relative_addresses(api: SandboxApi) -> None:
    sent = [api.send(body=str(n)).json()["sid"] for n in range(5)]
    seen: list[str] = []
    path = "/Messages.json?PageSize=2"
    pages = 0
    while path:
        page = api.account("GET", path).json()
        seen += [message["sid"] for message in page["messages"]]
        pages += 1
        uri = page["next_page_uri"]
        assert uri is None or urlsplit(uri).netloc == ""
        path = "" if uri is None else uri.split(api.credentials.account_sid)[1]
        if pages == 1:
            api.send(body="arrives while someone turns the pages")
    assert pages == 3
    assert seen == sent[::-1]


def test_list_filters_by_both_ends(sandbox: SandboxServer, api: SandboxApi) -> None:
    wanted = api.send(to="+4915112345678").json()["sid"]
    api.send(to="+4915112345679")
    sandbox.control.reply(api.credentials.account_sid, "+4915112345678", body="Hi")
    wait_until(lambda: api.message(wanted)["status"] == "delivered")

    def bodies(**query: str) -> list[str]:
        return [m["body"] for m in api.account("GET", "/Messages.json", params=query).json()["messages"]]

    assert bodies(To="+4915112345678") == ["Hello"]
    assert bodies(From="+4915112345678") == ["Hi"]
    assert bodies(To=api.credentials.phone_number) == ["Hi"]
    assert bodies(From=api.credentials.phone_number, To="+4915112345679") == ["Hello"]
    assert bodies(To="+4915112345000") == []


def test_date_filters_know_only_what_was_sent(sandbox: SandboxServer, api: SandboxApi) -> None:
    sandbox.control.change_dials({"carrier": {"queued_after_s": 1000}})
    sid = api.send().json()["sid"]
    today = time.strftime("%Y-%m-%d", time.gmtime())

    def found(**query: str) -> bool:
        params = {name.replace("_after", ">").replace("_before", "<"): value for name, value in query.items()}
        return bool(api.account("GET", "/Messages.json", params=params).json()["messages"])

    assert found(To="+4915112345678")
    assert not found(DateSent_after="2020-01-01")
    sandbox.control.advance_clock(1000)
    wait_until(lambda: api.message(sid)["status"] == "delivered")
    assert found(DateSent_after="2020-01-01")
    assert found(DateSent_after=f"{today}T00:00:00Z")
    assert not found(DateSent_before="2020-01-01")
    assert not found(DateSent="2020-01-01")
    assert api.account("GET", "/Messages.json", params={"DateSent": "yesterday"}).status_code == 400


def test_list_can_lag_behind(sandbox: SandboxServer, api: SandboxApi) -> None:
    sandbox.control.change_dials({"list_lag_ms": 60_000})
    sid = api.send().json()["sid"]
    assert api.account("GET", "/Messages.json").json()["messages"] == []
    assert api.message(sid)["sid"] == sid
    sandbox.control.advance_clock(61)
    assert len(api.account("GET", "/Messages.json").json()["messages"]) == 1


def test_number_is_found_among_the_accounts_own(api: SandboxApi) -> None:
    number = api.credentials.phone_number
    found = api.account("GET", "/IncomingPhoneNumbers.json", params={"PhoneNumber": number}).json()
    assert [item["phone_number"] for item in found["incoming_phone_numbers"]] == [number]
    none = api.account("GET", "/IncomingPhoneNumbers.json", params={"PhoneNumber": "+12125550100"}).json()
    assert none["incoming_phone_numbers"] == []
