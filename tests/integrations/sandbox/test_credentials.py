"""Derived credentials: the same for ever, known to their sandbox only."""

import re

import phonenumbers

from integrations.sandbox.credentials import (
    account_sid_of_api_key,
    derive_credentials,
    derive_test_credentials,
    is_sandbox_account_sid,
    is_test_account_sid,
    new_account_sid,
)

SECRET = "one secret"


def test_credentials_have_the_shape_of_twilios() -> None:
    credentials = derive_credentials(SECRET, new_account_sid(SECRET))
    for value, prefix in (
        (credentials.account_sid, "AC"),
        (credentials.api_key_sid, "SK"),
        (credentials.messaging_service_sid, "MG"),
        (credentials.verify_service_sid, "VA"),
    ):
        assert re.fullmatch(prefix + "[0-9a-f]{32}", value)
    assert re.fullmatch("[0-9a-f]{32}", credentials.auth_token)
    assert re.fullmatch("[0-9a-f]{32}", credentials.api_key_secret)


def test_same_account_gives_same_credentials_and_other_secret_gives_others() -> None:
    account_sid = new_account_sid(SECRET)
    assert derive_credentials(SECRET, account_sid) == derive_credentials(SECRET, account_sid)
    assert derive_credentials("other", account_sid).auth_token != derive_credentials(SECRET, account_sid).auth_token


def test_every_number_is_valid_and_fictitious() -> None:
    for _ in range(200):
        number = derive_credentials(SECRET, new_account_sid(SECRET)).phone_number
        assert phonenumbers.is_valid_number(phonenumbers.parse(number)), number
        assert re.fullmatch(r"\+1\d{3}55501\d\d", number)


def test_account_sid_is_recognised_by_its_own_secret_only() -> None:
    account_sid = new_account_sid(SECRET)
    assert is_sandbox_account_sid(SECRET, account_sid)
    assert not is_sandbox_account_sid("other", account_sid)
    for foreign in ("AC" + "0" * 32, "", "AC", "ÄC" + "1" * 32):
        assert not is_sandbox_account_sid(SECRET, foreign)


def test_api_key_leads_to_its_account() -> None:
    account_sid = new_account_sid(SECRET)
    key = derive_credentials(SECRET, account_sid).api_key_sid
    assert account_sid_of_api_key(SECRET, key) == account_sid
    assert account_sid_of_api_key("other", key) is None
    assert account_sid_of_api_key(SECRET, "SK" + "0" * 32) is None
    assert account_sid_of_api_key(SECRET, "SKé") is None


def test_test_credentials_are_an_account_of_their_own() -> None:
    account_sid = new_account_sid(SECRET)
    test = derive_test_credentials(SECRET, account_sid)
    assert test.account_sid != account_sid
    assert is_test_account_sid(SECRET, test.account_sid)
    assert not is_test_account_sid(SECRET, account_sid)
    assert not is_sandbox_account_sid(SECRET, test.account_sid)


def test_secrets_are_not_shown_in_reprs() -> None:
    credentials = derive_credentials(SECRET, new_account_sid(SECRET))
    shown = repr(credentials) + repr(derive_test_credentials(SECRET, credentials.account_sid))
    assert credentials.auth_token not in shown
    assert credentials.api_key_secret not in shown
