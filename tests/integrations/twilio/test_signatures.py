"""Signature checks: every published vector, and everything a stranger may throw at them."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import HMAC_SHA256, RequestValidator

from integrations.twilio.signatures import is_genuine, sign

VECTORS = Path(__file__).parents[4] / "shared" / "twilio" / "signatures.json"
TOKEN = "0123456789abcdef0123456789abcdef"
URL = "https://example.com/hooks/twilio/k/status/m"
FORM = {"MessageSid": "SM1", "MessageStatus": "delivered", "Body": ""}


def vectors() -> list:
    if not VECTORS.exists():
        return [
            pytest.param(None, marks=pytest.mark.skip(reason=f"the collected vectors are not here: {VECTORS.name}"))
        ]
    return [pytest.param(vector, id=vector["name"]) for vector in json.loads(VECTORS.read_text())["vectors"]]


@pytest.mark.parametrize("vector", vectors())
def test_collected_vectors(vector: dict) -> None:
    params = vector["body"] if vector["body"] is not None else vector["params"]
    shared_key = vector["algorithm"] == HMAC_SHA256
    common = {
        "params": params,
        "signature": vector["expected_signature"],
        "tokens": ["another", vector["auth_token"]],
        "algorithm_header": "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256" if shared_key else None,
    }
    assert is_genuine(url=vector["request_url"], **common) is vector["sdk_validates"]
    for also in vector.get("also_check", []):
        assert is_genuine(url=also["request_url"], **common) is also["sdk_validates"], also
    if not shared_key:
        made = sign(url=vector["signed_url"], params=params, token=vector["auth_token"])
        assert made == vector["expected_signature"]
    assert not is_genuine(url=vector["request_url"], **{**common, "tokens": ["another"]})


def test_any_live_token_will_do_and_none_is_not_enough() -> None:
    signature = sign(url=URL, params=FORM, token=TOKEN)
    assert is_genuine(url=URL, params=FORM, signature=signature, tokens=["old", TOKEN])
    assert is_genuine(url=URL, params=FORM, signature=signature, tokens=[TOKEN, "new"])
    assert not is_genuine(url=URL, params=FORM, signature=signature, tokens=[])


def test_an_empty_token_signs_nothing() -> None:
    assert not is_genuine(url=URL, params=FORM, signature=sign(url=URL, params=FORM, token=""), tokens=["", ""])


def test_repeated_fields_count_once_each_and_order_does_not_matter() -> None:
    form = QueryDict("MediaUrl=b&MediaUrl=a&To=%2B1")
    signature = sign(url=URL, params=form, token=TOKEN)
    assert is_genuine(url=URL, params=form, signature=signature, tokens=[TOKEN])
    assert is_genuine(url=URL, params={"MediaUrl": ["a", "b"], "To": "+1"}, signature=signature, tokens=[TOKEN])
    assert not is_genuine(url=URL, params={"MediaUrl": "b", "To": "+1"}, signature=signature, tokens=[TOKEN])


def test_a_fragment_is_not_signed() -> None:
    signature = sign(url=URL, params=FORM, token=TOKEN)
    assert sign(url=URL + "#rc=5&rp=all", params=FORM, token=TOKEN) == signature
    assert is_genuine(url=URL + "#rc=5&rp=all", params=FORM, signature=signature, tokens=[TOKEN])


def test_the_query_is_taken_as_sent() -> None:
    signature = sign(url=URL + "?a=1%202", params=FORM, token=TOKEN)
    assert is_genuine(url=URL + "?a=1%202", params=FORM, signature=signature, tokens=[TOKEN])
    assert not is_genuine(url=URL + "?a=1+2", params=FORM, signature=signature, tokens=[TOKEN])


def test_a_changed_field_is_refused() -> None:
    signature = sign(url=URL, params=FORM, token=TOKEN)
    for changed in ({**FORM, "MessageStatus": "failed"}, {**FORM, "New": "1"}, {"MessageSid": "SM1"}, {}):
        assert not is_genuine(url=URL, params=changed, signature=signature, tokens=[TOKEN])


class TestJson:
    body = '{"a": "é"}'
    url = URL + "?bodySHA256=" + sha256(body.encode()).hexdigest()
    signature = sign(url=url, params=body, token=TOKEN)

    def test_the_body_must_have_the_hash_in_the_address(self) -> None:
        assert is_genuine(url=self.url, params=self.body, signature=self.signature, tokens=[TOKEN])
        assert not is_genuine(url=self.url, params='{"a": "e"}', signature=self.signature, tokens=[TOKEN])
        upper = self.url.upper().replace("HTTPS", "https").replace("BODYSHA256", "bodySHA256")
        assert not is_genuine(url=upper, params=self.body, signature=self.signature, tokens=[TOKEN])

    def test_a_form_in_place_of_the_body_does_not_skip_the_hash(self) -> None:
        assert not is_genuine(url=self.url, params={}, signature=self.signature, tokens=[TOKEN])

    def test_a_body_without_a_hash_is_not_covered(self) -> None:
        signature = sign(url=URL, params={}, token=TOKEN)
        assert is_genuine(url=URL, params={}, signature=signature, tokens=[TOKEN])
        assert is_genuine(url=URL, params="", signature=signature, tokens=[TOKEN])
        assert not is_genuine(url=URL, params=self.body, signature=signature, tokens=[TOKEN])


class TestSharedKey:
    header = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"

    def signature(self) -> str:
        return RequestValidator("shared").compute_signature(URL, FORM, HMAC_SHA256)

    def test_is_checked_only_when_expected(self) -> None:
        signature = self.signature()
        assert is_genuine(url=URL, params=FORM, signature=signature, tokens=["shared"], algorithm_header=self.header)
        assert not is_genuine(url=URL, params=FORM, signature=signature, tokens=["shared"])

    @pytest.mark.parametrize("header", ["", "key=1", "algorithm=HMAC_SHA1", "algorithm=none", "algorithm=", ",,="])
    def test_a_weaker_algorithm_cannot_be_chosen(self, header: str) -> None:
        weak = sign(url=URL, params=FORM, token="shared")
        assert not is_genuine(url=URL, params=FORM, signature=weak, tokens=["shared"], algorithm_header=header)


@pytest.mark.parametrize("url", [
    "", "#", "https://", "https://example.com:99999/x", "https://example.com:abc/", "https://[::1", "http://[::1]:80/",
    "https://user:pass@example.com:443/x", "https://example.com/\ud800", "https://example.com/\x00?\n", "//",
    "javascript:1",
])  # fmt: skip
@pytest.mark.parametrize("signature", [None, "", "x", "é" * 28, "\ud800", "0/KCTR6DLpKmkAf8muzZqo1nDgQ="])
def test_hostile_input_is_refused_without_raising(url: str, signature: str | None) -> None:
    for params in (FORM, {"a": None}, {"a": [None, 1]}, {1: 2}, {"\ud800": "x"}, "text", QueryDict("a=%00&a=b")):
        assert is_genuine(url=url, params=params, signature=signature, tokens=[TOKEN]) is False


@given(st.text(), st.dictionaries(st.text(), st.text() | st.lists(st.text())), st.text(), st.text())
def test_nothing_makes_it_raise(url: str, params: dict, signature: str, header: str) -> None:
    assert is_genuine(url=url, params=params, signature=signature, tokens=[TOKEN]) is False
    assert is_genuine(url=url, params=params, signature=signature, tokens=[TOKEN], algorithm_header=header) is False
