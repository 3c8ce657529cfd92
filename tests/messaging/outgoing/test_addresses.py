"""Our servers call nothing inside a network, however the address is written or resolved."""

import ipaddress
import socket
from typing import Any

import pytest

from messaging.outgoing.addresses import is_public, read_url, resolve
from messaging.outgoing.problems import AddressRefused, NoAnswer


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("ftp://example.com/", "bad_url"),
        ("example.com", "bad_url"),
        ("https://", "bad_url"),
        ("https://exa mple.com/", "bad_url"),
        ("https://example.com/\r\nX: y", "bad_url"),
        ("https://example.com\\@10.0.0.1/", "bad_url"),
        ("https://example.com:99999/", "bad_url"),
        ("https://[::1/", "bad_url"),
        ("https://bücher.example/", "bad_url"),
        ("https://user:pass@example.com/", "credentials"),
        ("http://example.com/", "not_https"),
        ("https://example.com:22/", "bad_port"),
        ("https://example.com:5432/", "bad_port"),
        ("https://127.0.0.1/", "private_address"),
        ("https://10.1.2.3/", "private_address"),
        ("https://169.254.169.254/latest/meta-data/", "private_address"),
        ("https://[::1]/", "private_address"),
        ("https://[::ffff:10.0.0.1]/", "private_address"),
        ("https://[fd00:ec2::254]/", "private_address"),
        ("https://localhost/", "private_address"),
        ("https://database/", "private_address"),
        ("https://metadata.google.internal/", "private_address"),
        ("https://example.com/" + "x" * 2000, "too_long"),
    ],
)
def test_an_address_that_is_not_called_says_why(url: str, code: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        read_url(url)
    assert refused.value.code == code and refused.value.detail.endswith(".")


@pytest.mark.parametrize(
    ("ip", "expected"),
    [
        ("93.184.216.34", True),
        ("2606:4700::1111", True),
        ("0.0.0.0", False),
        ("100.64.0.1", False),
        ("100.100.100.200", False),
        ("168.63.129.16", False),
        ("192.0.0.192", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("198.18.0.1", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("fe80::1", False),
        ("fec0::1", False),
        ("fc00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("2002:7f00:1::", False),
        ("2001:db8::1", False),
    ],
)
def test_only_addresses_of_the_internet_are_public(ip: str, expected: bool) -> None:
    assert is_public(ipaddress.ip_address(ip)) is expected


@pytest.mark.parametrize("answers", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["::ffff:169.254.169.254"]])
def test_a_name_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch, answers: list[str]) -> None:
    def look_up(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in answers]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(AddressRefused) as refused:
        resolve(read_url("https://rebinding.example/"))
    assert refused.value.code == "private_address" and "rebinding.example" in refused.value.detail


def test_numbers_that_only_a_resolver_reads_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for host in ("2130706433", "0x7f.1", "017700000001"):
        with pytest.raises((AddressRefused, NoAnswer)):
            resolve(read_url(f"https://{host}/"))


def test_a_name_that_nobody_knows_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror("no such host")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(NoAnswer):
        resolve(read_url("https://gone.example/"))


def test_an_allowed_host_may_lie_inside(settings: Any) -> None:
    settings.OUTGOING_WEBHOOKS_ALLOW = frozenset({"127.0.0.1"})
    target = read_url("http://127.0.0.1:5000/hook")
    assert [endpoint.ip for endpoint in resolve(target)] == ["127.0.0.1"] and target.host_header == "127.0.0.1:5000"
    with pytest.raises(AddressRefused):
        read_url("http://127.0.0.2:5000/")
