"""Which addresses our servers may call on behalf of an organization: public ones, and nothing inside our own network.

What a name leads to is asked once, and the call goes to exactly that address: a name that leads elsewhere a moment
later (DNS rebinding) leads nowhere. https://owasp.org/www-community/attacks/Server_Side_Request_Forgery
"""

import ipaddress
import socket
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

from django.conf import settings

from .problems import AddressRefused, NoAnswer

LONGEST_URL = 2000
_PORTS = frozenset({80, 443, *range(8000, 10_000)})
# Public by their number, and yet part of the cloud that a server stands in: Azure's own services, and what the IETF
# keeps for protocols, where Oracle's cloud hands out credentials.
_OF_CLOUDS = (ipaddress.ip_network("168.63.129.16/32"), ipaddress.ip_network("192.0.0.0/24"))
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Target:
    """An address that was read: where to connect, what to ask for, and the host as certificates name it."""

    is_https: bool
    host: str
    port: int
    path: str
    host_header: str


class Endpoint(NamedTuple):
    """One address of a host."""

    family: int
    ip: str


def read_url(url: str) -> Target:
    """Read an address and say what is wrong with it, without asking anybody; raise AddressRefused."""
    if len(url) > LONGEST_URL:
        raise AddressRefused("too_long", f"The address has more than {LONGEST_URL:,} characters. Use a shorter one.")
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise AddressRefused("bad_url", "The address has blanks or signs that addresses do not have. Copy it again.")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError as error:
        raise AddressRefused("bad_url", "This is no address. Write one like https://example.com/hook.") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise AddressRefused("bad_url", "This is no address. Write one like https://example.com/hook.")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused(
            "credentials", "Take the name and the password out of the address: they would stand in logs. The signature "
            "shows that it is us.",
        )  # fmt: skip
    is_https = parts.scheme == "https"
    port = port if port is not None else 443 if is_https else 80
    if not is_allowed(host):
        if not is_https:
            raise AddressRefused(
                "not_https", "The address begins with http://, so anybody on the way could read along. Use https://."
            )
        if port not in _PORTS:
            raise AddressRefused("bad_port", "Only the ports 80, 443 and 8000 to 9999 are called. Use one of them.")
        _refuse_private_literal(host)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(is_https, host, port, path, _host_header(host, port, is_https=is_https))


def resolve(target: Target) -> list[Endpoint]:
    """Return where a target's name leads; raise AddressRefused where that is a private place, NoAnswer for nowhere."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NoAnswer("no_host", f"Nobody knows the host {target.host}. Is it written right?") from error
    endpoints = list(dict.fromkeys(Endpoint(family, str(address[0])) for family, _, _, _, address in found))
    if not is_allowed(target.host):
        for endpoint in endpoints:
            if not is_public(ipaddress.ip_address(endpoint.ip.partition("%")[0])):
                raise _private(target.host)
    return endpoints


def is_public(address: Address) -> bool:
    """Tell whether an address belongs to the internet, whatever is packed into it."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local:
            return False
    if any(address in network for network in _OF_CLOUDS):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def is_allowed(host: str) -> bool:
    """Tell whether the operator lets this host be called wherever it is."""
    return host.lower() in settings.OUTGOING_WEBHOOKS_ALLOW


def _refuse_private_literal(host: str) -> None:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        if "." not in host or host.lower().endswith((".local", ".internal", ".localhost")):
            raise _private(host) from None
        return
    if not is_public(address):
        raise _private(host)


def _private(host: str) -> AddressRefused:
    return AddressRefused(
        "private_address",
        f"{host} lies in a private network, which our servers do not call. Use an address of the internet; "
        "whoever runs this installation may allow the host.",
    )


def _host_header(host: str, port: int, *, is_https: bool) -> str:
    shown = f"[{host}]" if ":" in host else host
    return shown if port == (443 if is_https else 80) else f"{shown}:{port}"
