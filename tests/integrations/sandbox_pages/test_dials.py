"""Dials and outcomes of numbers: who turns them, what is refused, and that the sandbox really has them then."""

from typing import Any

import pytest

from integrations.connections.models import Connection
from integrations.organizations.models import AuditEntry
from integrations.sandbox.dial_board import DIALS, PRESETS, Unit, at, document_of, preset_document
from integrations.sandbox.outcome_words import built_in_outcomes
from integrations.sandbox.server.dials import DEFAULTS, validate
from tests.conftest import Cast
from tests.plugins.sandbox import SandboxServer


@pytest.fixture(autouse=True)
def normal(sandbox: SandboxServer) -> None:
    """The tests' quick statuses are dials off normal too."""
    sandbox.control.set_dials({})


def path(connection: Connection, end: str = "dials/") -> str:
    return f"sandbox/{connection.pk}/{end}"


def normal_form(**changes: object) -> dict[str, Any]:
    """Return what the form posts with every dial normal, but for these."""
    shown = {dial.field_name: dial.shown(at(DEFAULTS, dial.path)) for dial in DIALS}
    return {name: value for name, value in (shown | changes).items() if value is not None and value is not False}


def _paths(document: dict[str, Any], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for name, value in document.items():
        is_section = isinstance(value, dict) and name != "outcomes"
        found |= _paths(value, f"{prefix}{name}.") if is_section else {prefix + name}
    return found


def test_every_dial_of_the_sandbox_stands_on_the_page() -> None:
    assert {dial.path for dial in DIALS} | {"outcomes"} == _paths(DEFAULTS)


@pytest.mark.parametrize("dial", [dial for dial in DIALS if dial.low != dial.high], ids=lambda dial: dial.path)
def test_bounds_on_the_page_are_those_of_the_sandbox(dial: Any) -> None:
    others = {"carrier.final.failed": 1} if dial.path == "carrier.final.delivered" else {}
    for value in (dial.low, dial.high):
        validate(document_of({**others, dial.path: dial.stored(value)}))


@pytest.mark.parametrize("dial", DIALS, ids=lambda dial: dial.path)
def test_value_survives_the_form(dial: Any) -> None:
    value = at(DEFAULTS, dial.path)
    shown = dial.shown(value)

    assert dial.unit is Unit.CODES or dial.stored(shown) == value


def test_saved_dials_are_in_force_for_this_account_only(
    cast: Cast, ours: Connection, theirs: Connection, sandbox: SandboxServer
) -> None:
    form = normal_form(latency_ms="2.5", rate_429="20", callbacks__reversed="on", carrier__error_codes__failed="30034")

    answer = cast.client("admin").post(cast.url(path(ours)), form)

    assert answer.status_code == 302
    assert sandbox.control.dials(ours.account_sid)["own"] == {
        "latency_ms": 2500,
        "rate_429": 0.2,
        "callbacks": {"reversed": True},
        "carrier": {"error_codes": {"failed": [30034]}},
    }
    assert sandbox.control.dials(theirs.account_sid)["in_force"] == DEFAULTS
    entry = AuditEntry.objects.get(organization=cast.organization, action="sandbox.dials_changed")
    assert "Too many requests (429): 20 %" in entry.changes["off_normal"]


def test_saving_twice_changes_nothing_more(cast: Cast, ours: Connection, sandbox: SandboxServer) -> None:
    client = cast.client("owner")
    for _ in range(2):
        client.post(cast.url(path(ours)), normal_form(latency_ms="1"))

    assert sandbox.control.dials(ours.account_sid)["own"] == {"latency_ms": 1000}
    assert client.get(cast.url(path(ours))).context["form"]["latency_ms"].value() == 1


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("latency_ms", "fast", "Write a number from 0 to 60."),
        ("latency_ms", "61", "Write a number from 0 to 60."),
        ("latency_ms", "", "Write a number from 0 to 60."),
        ("latency_ms", "nan", "Write a number from 0 to 60."),
        ("rate_429", "101", "Write a number from 0 to 100."),
        ("rate_5xx", "-1", "Write a number from 0 to 100."),
        ("limit_per_second", "0", "Write a number from 0.1 to 100,000, or leave it empty."),
        ("seed", "1.5", "Write a whole number."),
        ("seed", "9" * 30, "Write a whole number."),
        ("faults_on", "moon", "Select a valid choice."),
        ("carrier__error_codes__failed", "30001, what", "Write error codes of five digits"),
        ("carrier__error_codes__failed", "", "Write at least one error code"),
        ("carrier__final__delivered", "0", "At least one of the four shares must be above 0."),
    ],
)
def test_bad_value_is_explained_at_its_field(
    cast: Cast, ours: Connection, sandbox: SandboxServer, field: str, value: str, words: str
) -> None:
    answer = cast.client("owner").post(cast.url(path(ours)), normal_form(**{field: value}))

    assert answer.status_code == 422
    assert words in " ".join(answer.context["form"].errors[field])
    assert words in answer.content.decode()
    assert sandbox.control.dials(ours.account_sid)["own"] == {}


def test_faults_of_more_than_every_request_are_refused(cast: Cast, ours: Connection) -> None:
    answer = cast.client("owner").post(cast.url(path(ours)), normal_form(rate_429="70", rate_accept_hang="40"))

    assert "together they may be 100 %, and are 110 %" in answer.context["form"].errors["rate_429"][0]


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)
def test_preset_is_set_and_announced_everywhere(
    cast: Cast, ours: Connection, sandbox: SandboxServer, preset: Any
) -> None:
    client = cast.client("owner")
    client.post(cast.url(path(ours)), normal_form(seed="7"))

    answer = client.post(cast.url(path(ours, "dials/preset/")), {"preset": preset.key})

    assert answer.status_code == 302
    assert sandbox.control.dials(ours.account_sid)["in_force"] == preset_document(preset)
    for page in ("", "numbers/", "dials/", "new-phone/"):
        is_announced = "Dials are off normal." in client.get(cast.url(path(ours, page))).content.decode()
        assert is_announced is bool(preset.changes), page


def test_unknown_preset_is_not_found(cast: Cast, ours: Connection) -> None:
    assert cast.client("owner").post(cast.url(path(ours, "dials/preset/")), {"preset": "x"}).status_code == 404


def test_reset_beats_dials_of_the_whole_installation(cast: Cast, ours: Connection, sandbox: SandboxServer) -> None:
    sandbox.control.set_dials({"latency_ms": 10, "outcomes": {"+4915112345678": {"status": "failed"}}})
    client = cast.client("owner")
    assert "Dials are off normal." in client.get(cast.url("sandbox/")).content.decode()

    client.post(cast.url(path(ours, "dials/reset/")))

    assert sandbox.control.dials(ours.account_sid)["in_force"] == DEFAULTS
    assert "Dials are off normal." not in client.get(cast.url("sandbox/")).content.decode()


@pytest.mark.parametrize("end", ["dials/", "dials/preset/", "dials/reset/", "numbers/add/", "numbers/remove/"])
def test_agents_viewers_and_strangers_turn_nothing(
    cast: Cast, ours: Connection, sandbox: SandboxServer, end: str
) -> None:
    data = {**normal_form(latency_ms="5"), "preset": "slow", "number": "+4915112345678", "result": "failed"}

    for who, status in (("agent", 403), ("viewer", 403), ("stranger", 404), (None, 302)):
        assert cast.client(who).post(cast.url(path(ours, end)), data).status_code == status
    assert sandbox.control.dials(ours.account_sid)["own"] == {}


def test_outcome_of_a_number_is_added_listed_and_removed(cast: Cast, ours: Connection, sandbox: SandboxServer) -> None:
    client = cast.client("admin")

    client.post(
        cast.url(path(ours, "numbers/add/")),
        {"number": "0151 12345678", "result": "undelivered", "error_code": "30007", "silent": "on"},
    )
    assert sandbox.control.dials(ours.account_sid)["own"] == {
        "outcomes": {"+4915112345678": {"status": "undelivered", "error_code": 30007, "silent": True}}
    }
    page = cast.client("viewer").get(cast.url(path(ours, "numbers/"))).content.decode()
    assert "+49 1511 2345678" in page
    assert "Undelivered, without any status callback" in page
    assert "Remove" not in page
    assert "+4915112345678" not in AuditEntry.objects.get(action="sandbox.dials_changed").changes["numbers"]

    client.post(cast.url(path(ours)), normal_form(latency_ms="1"))  # the dials leave it alone
    assert "outcomes" in sandbox.control.dials(ours.account_sid)["own"]

    for _ in range(2):
        assert client.post(cast.url(path(ours, "numbers/remove/")), {"number": "+4915112345678"}).status_code == 302
    assert sandbox.control.dials(ours.account_sid)["own"] == {"latency_ms": 1000}


def test_refusing_outcome_is_set(cast: Cast, ours: Connection, sandbox: SandboxServer) -> None:
    cast.client("owner").post(
        cast.url(path(ours, "numbers/add/")),
        {"number": "+4915112345678", "result": "refused", "error_code": "21612", "silent": "on"},
    )

    assert sandbox.control.dials(ours.account_sid)["own"]["outcomes"] == {"+4915112345678": {"error_code": 21612}}


@pytest.mark.parametrize(
    ("data", "field", "words"),
    [
        ({"number": "12"}, "number", "too short"),
        ({"number": ""}, "number", "Write the number."),
        ({"error_code": "abc"}, "error_code", "Write one of Twilio's error codes"),
        ({"error_code": "7"}, "error_code", "Write one of Twilio's error codes"),
        ({"result": "refused", "error_code": ""}, "error_code", "Name a code with which Twilio refuses"),
        ({"result": "refused", "error_code": "30003"}, "error_code", "Name a code with which Twilio refuses"),
        ({"result": "sent", "error_code": "30003"}, "error_code", "Such a message has no error."),
        ({"result": "lost"}, "result", "Select a valid choice."),
    ],
)
def test_unusable_outcome_is_explained_at_its_field(
    cast: Cast, ours: Connection, sandbox: SandboxServer, data: dict[str, str], field: str, words: str
) -> None:
    whole = {"number": "+4915112345678", "result": "failed", "error_code": "30001"}

    answer = cast.client("owner").post(cast.url(path(ours, "numbers/add/")), whole | data)

    assert answer.status_code == 422
    assert words in answer.context["form"].errors[field][0]
    assert words.replace("'", "&#x27;") in answer.content.decode()
    assert sandbox.control.dials(ours.account_sid)["own"] == {}


def test_built_in_numbers_are_listed_with_their_error(cast: Cast, ours: Connection) -> None:
    page = cast.client("viewer").get(cast.url(path(ours, "numbers/"))).content.decode()

    for row in built_in_outcomes():
        assert f'data-copy="{row.number}"' in page
        assert row.error_code is None or str(row.error_code) in page
    assert f'href="{cast.url("messages/send/")}"' not in page.partition('class="hg"')[2]
    agent = cast.client("agent").get(cast.url(path(ours, "numbers/"))).content.decode()
    assert f'href="{cast.url("messages/send/")}"' in agent.partition('class="hg"')[2]
