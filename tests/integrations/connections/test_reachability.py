"""Addresses that Twilio would not accept are recognised without asking the network."""

import pytest

from integrations.connections.reachability import judge_address


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8000", "https://localhost", "http://127.0.0.1:8000", "https://10.1.2.3", "https://192.168.0.4",
        "https://[::1]:8000", "https://[fe80::1%25eth0]", "https://169.254.1.1", "https://server", "https://box.local",
        "https://a.internal", "https://my_host.example.com", "ftp://sms.example.org", "nonsense", "", "https://100.64.0.1",
        "https://dev.localhost", "https://sms.test.",
    ],
)  # fmt: skip
def test_unreachable_address_is_not_given_to_twilio(url: str) -> None:
    verdict = judge_address(url)
    assert not verdict.is_accepted
    assert verdict.problem and verdict.remedy


def test_https_address_is_fine() -> None:
    assert judge_address("https://sms.acme.com").is_accepted
    assert judge_address("https://sms.acme.com").problem == ""


def test_plain_http_is_accepted_with_a_warning() -> None:
    verdict = judge_address("http://sms.acme.com")
    assert verdict.is_accepted
    assert "unencrypted" in verdict.problem
