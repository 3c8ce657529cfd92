"""The sandbox's answers against Twilio's own OpenAPI documents (../shared/twilio/openapi)."""

import copy
import json
import time
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import requests

from tests.plugins.sandbox import SandboxApi, SandboxServer, wait_until

OPENAPI = Path(__file__).resolve().parents[3] / "shared" / "twilio" / "openapi"
DOCUMENTS = {
    "api": "twilio_api_v2010.json",
    "messaging": "twilio_messaging_v1.json",
    "verify": "twilio_verify_v2.json",
    "lookups": "twilio_lookups_v2.json",
    "accounts": "twilio_accounts_v1.json",
    "pricing": "twilio_pricing_v1.json",
}
PHONE = "+4915112345678"
# Twilio's Lookup document forgets to say what its own examples show: that a package not asked for is null.
NULL_EVERYWHERE = {"lookups"}

pytestmark = pytest.mark.skipif(
    not OPENAPI.is_dir(), reason="LEFT OUT: the contract cannot be checked, ../shared/twilio/openapi is not here"
)


@cache
def _document(product: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((OPENAPI / DOCUMENTS[product]).read_text())
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        _allow_null(schema, everywhere=product in NULL_EVERYWHERE)
    return document


def _allow_null(schema: Any, *, everywhere: bool) -> None:
    """Turn OpenAPI 3.0's `nullable` into what JSON Schema understands."""
    if isinstance(schema, list):
        for item in schema:
            _allow_null(item, everywhere=everywhere)
    if not isinstance(schema, dict):
        return
    for value in list(schema.values()):
        _allow_null(value, everywhere=everywhere)
    if everywhere and isinstance(schema.get("properties"), dict):
        for name, inner in schema["properties"].items():
            schema["properties"][name] = {"anyOf": [{"type": "null"}, inner]}
    if schema.get("x-twilio") == {"overrideType": "string"}:
        schema["type"] = "string"  # so the examples have it, and Twilio itself
    if schema.get("nullable") is True and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]


def _response_schema(product: str, path: str, method: str, status: int) -> dict[str, Any]:
    responses = _document(product)["paths"][path][method]["responses"]
    assert str(status) in responses, f"{method} {path}: Twilio's document knows {list(responses)}, not {status}"
    schema = copy.deepcopy(responses[str(status)]["content"]["application/json"]["schema"])
    _allow_null(schema, everywhere=product in NULL_EVERYWHERE)
    return {**schema, "components": {"schemas": _document(product)["components"]["schemas"]}}


def _known_names(product: str, schema: dict[str, Any]) -> set[str]:
    if "$ref" in schema:
        schema = _document(product)["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return set(schema.get("properties", ()))


def _check(answer: requests.Response, product: str, path: str) -> dict[str, Any]:
    """Hold an answer against the document: its schema, and no field missing or invented."""
    method = (answer.request.method or "").lower()
    schema = _response_schema(product, path, method, answer.status_code)
    body: dict[str, Any] = answer.json()
    jsonschema.Draft202012Validator(schema).validate(body)
    assert set(body) == _known_names(product, schema), f"{method} {path}"
    for name, value in body.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            items = schema.get("properties", {}).get(name, {}).get("items", {})
            if "$ref" in items:
                assert set(value[0]) == _known_names(product, items), f"{method} {path}: {name}"
    return body


@pytest.fixture
def api(sandbox: SandboxServer) -> SandboxApi:
    return sandbox.api(sandbox.new_account(), with_key=False)


def test_check_itself_notices_what_is_wrong() -> None:
    schema = _response_schema("api", "/2010-04-01/Accounts/{AccountSid}/Balance.json", "get", 200)
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid({"account_sid": "AC" + "0" * 32, "balance": None, "currency": "USD"})
    assert not validator.is_valid({"account_sid": "AC1", "balance": "1", "currency": "USD"})
    assert not validator.is_valid({"account_sid": "AC" + "0" * 32, "balance": 1, "currency": "USD"})


def test_account_and_balance(api: SandboxApi) -> None:
    _check(api.account("GET", ".json"), "api", "/2010-04-01/Accounts/{Sid}.json")
    _check(api.account("GET", "/Balance.json"), "api", "/2010-04-01/Accounts/{AccountSid}/Balance.json")


def test_numbers(api: SandboxApi) -> None:
    answer = api.account("GET", "/IncomingPhoneNumbers.json")
    body = _check(answer, "api", "/2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers.json")
    assert len(body["incoming_phone_numbers"]) == 1
    sid = body["incoming_phone_numbers"][0]["sid"]
    path = "/2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers/{Sid}.json"
    _check(api.account("GET", f"/IncomingPhoneNumbers/{sid}.json"), "api", path)


def test_messages(sandbox: SandboxServer, api: SandboxApi) -> None:
    many, one = (
        "/2010-04-01/Accounts/{AccountSid}/Messages.json",
        "/2010-04-01/Accounts/{AccountSid}/Messages/{Sid}.json",
    )
    _check(api.send(From=api.credentials.phone_number), "api", many)
    _check(api.send(to="+12025550134"), "api", many)  # will fail, with an error code
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    scheduled = _check(api.send(ScheduleType="fixed", SendAt=at), "api", many)
    delivered = _check(api.send(), "api", many)
    sandbox.control.reply(api.credentials.account_sid, PHONE, body="Hi", media=["https://example.com/a.jpg"])
    wait_until(lambda: api.message(delivered["sid"])["status"] == "delivered")
    _check(api.account("GET", f"/Messages/{delivered['sid']}.json"), "api", one)
    canceled = api.account("POST", f"/Messages/{scheduled['sid']}.json", data={"Status": "canceled"})
    _check(canceled, "api", one)
    _check(api.account("POST", f"/Messages/{delivered['sid']}.json", data={"Body": ""}), "api", one)
    page = _check(api.account("GET", "/Messages.json?PageSize=2"), "api", many)
    assert page["next_page_uri"]
    assert len(_check(api.account("GET", "/Messages.json"), "api", many)["messages"]) == 5
    assert api.account("DELETE", f"/Messages/{delivered['sid']}.json").status_code == 204


def test_media(sandbox: SandboxServer, api: SandboxApi) -> None:
    path = "/2010-04-01/Accounts/{AccountSid}/Messages/{MessageSid}/Media"
    files = [{"content_type": "image/png", "data": "aGk="}, {"content_type": "image/jpeg", "size": 20}]
    sid = sandbox.control.reply(api.credentials.account_sid, PHONE, body="", media=files)["sid"]
    body = _check(api.account("GET", f"/Messages/{sid}/Media.json"), "api", f"{path}.json")
    assert [row["content_type"] for row in body["media_list"]] == ["image/png", "image/jpeg"]
    medium = f"/Messages/{sid}/Media/{body['media_list'][0]['sid']}"
    _check(api.account("GET", f"{medium}.json"), "api", f"{path}/{{Sid}}.json")
    leads = api.account("GET", medium, allow_redirects=False)
    assert leads.status_code == 307
    store = leads.headers["Location"]
    assert store.startswith("https://mms.twiliocdn.com/")
    content = requests.get(f"{sandbox.url}/{store.partition('://')[2]}", timeout=5)
    assert (content.content, content.headers["Content-Type"]) == (b"hi", "image/png")
    assert requests.get(f"{sandbox.url}/{store.partition('://')[2]}x", timeout=5).status_code == 404
    assert requests.get(f"{sandbox.url}/api.twilio.com/2010-04-01/Accounts/x{medium}", timeout=5).status_code == 401
    assert api.account("DELETE", f"{medium}.json").status_code == 204
    assert api.account("GET", medium, allow_redirects=False).status_code == 404


def test_messaging_services(sandbox: SandboxServer, api: SandboxApi) -> None:
    many, one = "/v1/Services", "/v1/Services/{Sid}"
    made = _check(api.call("POST", "messaging", "/v1/Services", data={"FriendlyName": "Contract"}), "messaging", many)
    _check(api.call("GET", "messaging", "/v1/Services?PageSize=1"), "messaging", many)
    _check(api.call("GET", "messaging", f"/v1/Services/{made['sid']}"), "messaging", one)
    changed = api.call("POST", "messaging", f"/v1/Services/{made['sid']}", data={"SmartEncoding": "true"})
    _check(changed, "messaging", one)

    account_sid = api.credentials.account_sid
    sandbox.control.add_number(account_sid, "+493012345678")
    numbers = sandbox.control.add_number(account_sid, "12345")["numbers"]
    path = f"/v1/Services/{made['sid']}"
    for resource, form in (
        ("PhoneNumbers", {"PhoneNumberSid": numbers[1]["sid"]}),
        ("ShortCodes", {"ShortCodeSid": numbers[2]["sid"]}),
        ("AlphaSenders", {"AlphaSender": "Northwind"}),
    ):
        many = f"/v1/Services/{{ServiceSid}}/{resource}"
        added = _check(api.call("POST", "messaging", f"{path}/{resource}", data=form), "messaging", many)
        listed = _check(api.call("GET", "messaging", f"{path}/{resource}"), "messaging", many)
        assert len(listed["meta"]) == 7
        if resource != "AlphaSenders":
            fetched = api.call("GET", "messaging", f"{path}/{resource}/{added['sid']}")
            _check(fetched, "messaging", many + "/{Sid}")
        assert api.call("DELETE", "messaging", f"{path}/{resource}/{added['sid']}").status_code == 204
    assert api.call("DELETE", "messaging", path).status_code == 204


def test_verify(sandbox: SandboxServer, api: SandboxApi) -> None:
    many, one = "/v2/Services", "/v2/Services/{Sid}"
    made = _check(api.call("POST", "verify", many, data={"FriendlyName": "Contract"}), "verify", many)
    _check(api.call("GET", "verify", many), "verify", many)
    path = f"/v2/Services/{made['sid']}"
    _check(api.call("GET", "verify", path), "verify", one)
    _check(api.call("POST", "verify", path, data={"CodeLength": "4"}), "verify", one)

    start, fetch = "/v2/Services/{ServiceSid}/Verifications", "/v2/Services/{ServiceSid}/Verifications/{Sid}"
    check = "/v2/Services/{ServiceSid}/VerificationCheck"
    form = {"To": PHONE, "Channel": "sms"}
    started = _check(api.call("POST", "verify", path + "/Verifications", data=form), "verify", start)
    _check(api.call("GET", "verify", f"{path}/Verifications/{started['sid']}"), "verify", fetch)
    wrong = api.call("POST", "verify", path + "/VerificationCheck", data={"To": PHONE, "Code": "none"})
    assert _check(wrong, "verify", check)["valid"] is False
    code = sandbox.control.phone(api.credentials.account_sid, PHONE)["messages"][-1]["code"]
    right = api.call("POST", "verify", path + "/VerificationCheck", data={"To": PHONE, "Code": code})
    assert _check(right, "verify", check)["valid"] is True
    started = api.call("POST", "verify", path + "/Verifications", data=form).json()
    canceled = api.call("POST", "verify", f"{path}/Verifications/{started['sid']}", data={"Status": "canceled"})
    _check(canceled, "verify", fetch)
    attempts = _check(api.call("GET", "verify", "/v2/Attempts"), "verify", "/v2/Attempts")["attempts"]
    assert [one["conversion_status"] for one in attempts] == ["unconverted", "converted"]
    sandbox.control.change_dials({"rate_429": 1})
    _check(api.call("POST", "verify", path + "/Verifications", data=form), "verify", start)
    sandbox.control.change_dials({"rate_429": 0})
    assert api.call("DELETE", "verify", path).status_code == 204


@pytest.mark.parametrize("number", [PHONE, "+1212", "nonsense", "+493012345678"])
def test_lookup(api: SandboxApi, number: str) -> None:
    answer = api.call("GET", "lookups", f"/v2/PhoneNumbers/{number}?Fields=line_type_intelligence")
    _check(answer, "lookups", "/v2/PhoneNumbers/{PhoneNumber}")


def test_geo_permissions(api: SandboxApi) -> None:
    path = "/v1/Messaging/GeoPermissions"
    listed = _check(api.call("GET", "accounts", path), "accounts", path)["permissions"]
    example = _example("accounts", path, "get")["permissions"]
    assert set(listed[0]) == set(example[0])
    form = {"Permissions": json.dumps([{"country_code": "PK", "type": "country", "enabled": False}])}
    changed = _check(api.call("PATCH", "accounts", path, data=form), "accounts", path)["permissions"]
    assert set(changed[0]) == set(_example("accounts", path, "patch")["permissions"][0])


def test_prices(api: SandboxApi) -> None:
    many, one = "/v1/Messaging/Countries", "/v1/Messaging/Countries/{IsoCountry}"
    listed = _check(api.call("GET", "pricing", many + "?PageSize=3"), "pricing", many)
    assert len(listed["countries"]) == 3
    body = _check(api.call("GET", "pricing", "/v1/Messaging/Countries/DE"), "pricing", one)
    example = _example("pricing", one, "get")
    for name in ("outbound_sms_prices", "inbound_sms_prices"):
        assert set(body[name][0]) == set(example[name][0])
    prices = [carrier["prices"] for carrier in body["outbound_sms_prices"]]
    assert len(prices) > 1
    assert set(prices[0][0]) == set(example["outbound_sms_prices"][0]["prices"][0])
    assert prices[0] != prices[1]
    assert api.call("GET", "pricing", "/v1/Messaging/Countries/ZZ").status_code == 404


def _example(product: str, path: str, method: str) -> dict[str, Any]:
    content = _document(product)["paths"][path][method]["responses"]["200"]["content"]["application/json"]
    example: dict[str, Any] = next(iter(content["examples"].values()))["value"]
    return example


def test_errors_have_the_shape_that_twilio_documents(api: SandboxApi) -> None:
    documented = {"code", "message", "more_info", "status"}
    for answer in (
        api.send(to="1"),
        api.account("GET", "/Messages/SM0.json"),
        api.call("GET", "verify", "/v2/Services/VA0"),
        api.call("POST", "content", "/v1/Content"),
    ):
        body = answer.json()
        assert set(body) == documented
        assert body["status"] == answer.status_code
        assert body["more_info"].endswith(str(body["code"]))
    api.auth = ("AC", "x")
    assert set(api.account("GET", ".json").json()) == documented | {"detail"}
