"""Messaging Services, senders, lookup, geo permissions."""

import pytest

from tests.plugins.sandbox import SandboxApi, SandboxServer


def test_service_of_the_account_holds_its_number(api: SandboxApi) -> None:
    path = f"/v1/Services/{api.credentials.messaging_service_sid}"
    numbers = api.call("GET", "messaging", path + "/PhoneNumbers").json()["phone_numbers"]
    assert [number["phone_number"] for number in numbers] == [api.credentials.phone_number]
    assert api.call("GET", "messaging", path + "/ShortCodes").json()["short_codes"] == []
    assert api.call("GET", "messaging", path + "/AlphaSenders").json()["alpha_senders"] == []


def test_senders_come_and_go(sandbox: SandboxServer, api: SandboxApi) -> None:
    account = sandbox.control.add_number(api.credentials.account_sid, "+493012345678")
    sid = next(number["sid"] for number in account["numbers"] if number["number"] == "+493012345678")
    service = api.call("POST", "messaging", "/v1/Services", data={"FriendlyName": "Second"}).json()["sid"]
    path = f"/v1/Services/{service}"
    added = api.call("POST", "messaging", path + "/PhoneNumbers", data={"PhoneNumberSid": sid})
    assert (added.status_code, added.json()["country_code"]) == (201, "DE")
    elsewhere = f"/v1/Services/{api.credentials.messaging_service_sid}/PhoneNumbers"
    conflict = api.call("POST", "messaging", elsewhere, data={"PhoneNumberSid": sid})
    assert (conflict.status_code, conflict.json()["code"]) == (409, 21712)
    assert api.call("DELETE", "messaging", f"{path}/PhoneNumbers/{sid}").status_code == 204
    assert api.call("GET", "messaging", path + "/PhoneNumbers").json()["phone_numbers"] == []
    assert api.call("POST", "messaging", elsewhere, data={"PhoneNumberSid": sid}).status_code == 201


def test_pool_prefers_a_local_number_and_stays_with_it(sandbox: SandboxServer, api: SandboxApi) -> None:
    account = sandbox.control.add_number(api.credentials.account_sid, "+493012345678")
    sid = account["numbers"][-1]["sid"]
    path = f"/v1/Services/{api.credentials.messaging_service_sid}/PhoneNumbers"
    api.call("POST", "messaging", path, data={"PhoneNumberSid": sid})
    for to, sender in (("+4915112345678", "+493012345678"), ("+12125550100", api.credentials.phone_number)):
        for _ in range(2):
            api.send(to=to)
        assert {m["from"] for m in sandbox.control.messages(to=to)} == {sender}


def test_alpha_sender_serves_abroad_only(sandbox: SandboxServer, api: SandboxApi) -> None:
    service = api.call("POST", "messaging", "/v1/Services", data={"FriendlyName": "Alpha"}).json()["sid"]
    path = f"/v1/Services/{service}/AlphaSenders"
    assert api.call("POST", "messaging", path, data={"AlphaSender": "Northwind Ltd"}).status_code == 400
    sender = api.call("POST", "messaging", path, data={"AlphaSender": "Northwind"}).json()
    assert api.send(MessagingServiceSid=service).status_code == 201
    assert api.send(to="+12125550100", MessagingServiceSid=service).json()["code"] == 21703
    assert api.call("DELETE", "messaging", f"{path}/{sender['sid']}").status_code == 204
    assert api.send(MessagingServiceSid=service).json()["code"] == 21704


def test_lists_are_paged_with_addresses_of_the_real_host(api: SandboxApi) -> None:
    for name in ("A", "B"):
        api.call("POST", "messaging", "/v1/Services", data={"FriendlyName": name})
    first = api.call("GET", "messaging", "/v1/Services?PageSize=2").json()
    assert first["meta"]["key"] == "services"
    following = first["meta"]["next_page_url"]
    assert following.startswith("https://messaging.twilio.com/v1/Services?")
    second = api.call("GET", "messaging", following.removeprefix("https://messaging.twilio.com")).json()
    assert [len(first["services"]), len(second["services"])] == [2, 1]
    assert second["meta"]["next_page_url"] is None
    assert second["meta"]["previous_page_url"] is not None


def test_service_keeps_what_is_posted(api: SandboxApi) -> None:
    path = f"/v1/Services/{api.credentials.messaging_service_sid}"
    form = {"SmartEncoding": "true", "ValidityPeriod": "60", "InboundRequestUrl": "https://example.com/in"}
    changed = api.call("POST", "messaging", path, data=form).json()
    assert (changed["smart_encoding"], changed["validity_period"]) == (True, 60)
    assert api.call("GET", "messaging", path).json()["inbound_request_url"] == "https://example.com/in"
    for bad in ({"ValidityPeriod": "99999"}, {"StatusCallback": "nowhere"}):
        assert api.call("POST", "messaging", path, data=bad).status_code == 400
    assert api.send(body="“quoted”").json()["body"] == '"quoted"'


@pytest.mark.parametrize(
    ("number", "valid", "country", "reason"),
    [
        ("+4915112345678", True, "DE", None),
        ("+12125550100", True, "US", None),
        ("2125550100", True, "US", None),
        ("+491", False, None, "TOO_SHORT"),
        ("+1212555", False, None, "TOO_SHORT"),
        ("+12125550100123", False, None, "TOO_LONG"),
        ("+999123", False, None, "INVALID_COUNTRY_CODE"),
        ("abc", False, None, "NOT_A_NUMBER"),
    ],
)
def test_lookup_answers_200_also_for_nonsense(
    api: SandboxApi, number: str, valid: bool, country: str | None, reason: str | None
) -> None:
    answer = api.call("GET", "lookups", f"/v2/PhoneNumbers/{number}")
    body = answer.json()
    assert (answer.status_code, body["valid"]) == (200, valid)
    assert body["validation_errors"] == ([reason] if reason else [])
    assert body["country_code"] == country
    assert body["line_type_intelligence"] is None


def test_line_type_is_told_when_asked_for(api: SandboxApi) -> None:
    for number, kind in (("+4915112345678", "mobile"), ("+493012345678", "landline"), ("+18005550123", "tollFree")):
        body = api.call("GET", "lookups", f"/v2/PhoneNumbers/{number}?Fields=line_type_intelligence").json()
        assert body["line_type_intelligence"]["type"] == kind


def test_geo_permission_switched_off_stops_messages(api: SandboxApi) -> None:
    path = "/v1/Messaging/GeoPermissions"
    switch = '{"country_code": "DE", "type": "country", "enabled": false}'
    changed = api.call("PATCH", "accounts", path, data={"Permissions": switch}).json()["permissions"]
    assert (changed[0]["enabled"], changed[0]["error_code"]) == (False, 0)
    shown = api.call("GET", "accounts", path + "?CountryCode=de").json()["permissions"]
    assert shown == [{"country_code": "DE", "type": "country", "enabled": False, "prefix": "+49", "message": ""}]
    assert api.send().json()["code"] == 21408
    assert api.send(to="+12125550100").status_code == 201
    api.call("PATCH", "accounts", path, data={"Permissions": f"[{switch.replace('false', 'true')}]"})
    assert api.send().status_code == 201


def test_geo_permission_of_a_high_risk_country_stays(api: SandboxApi) -> None:
    form = {"Permissions": '{"country_code": "PK", "type": "country", "enabled": false}'}
    changed = api.call("PATCH", "accounts", "/v1/Messaging/GeoPermissions", data=form).json()["permissions"][0]
    assert (changed["enabled"], changed["error_code"]) == (True, 30649)
    broken = api.call("PATCH", "accounts", "/v1/Messaging/GeoPermissions", data={"Permissions": "{"})
    assert broken.status_code == 400
