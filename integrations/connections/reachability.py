"""Whether Twilio could reach this installation under its public address."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

# Names that the public DNS never answers: RFC 6761, RFC 6762, RFC 8375 and ICANN's reserved `.internal`.
_PRIVATE_ENDINGS = ("localhost", "local", "internal", "test", "example", "invalid", "lan", "home.arpa")


@dataclass(frozen=True)
class Reachability:
    """`is_accepted`: Twilio would take the address as a StatusCallback; `problem` is empty when all is well."""

    is_accepted: bool
    problem: str = ""
    remedy: str = ""


def judge_address(url: str) -> Reachability:
    """Judge a public base address by its looks, without asking the network.

    Twilio refuses a whole message with 21609 where the callback's host cannot be valid, so an address that is surely
    unreachable must be left out of the request rather than tried.
    """
    setting = "Set PUBLIC_BASE_URL to the https address under which the internet reaches this installation."
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".").lower()
    if parts.scheme not in ("http", "https") or not host:
        return Reachability(False, "The public address is not a web address.", setting)
    if _is_private(host):
        return Reachability(False, f"{host} exists only inside your own network; Twilio cannot reach it.", setting)
    if "_" in host:
        return Reachability(False, f"{host} has an underscore, and Twilio refuses such hosts (21609).", setting)
    if parts.scheme == "http":
        return Reachability(
            True,
            "The public address is plain http: what Twilio reports, message texts included, travels unencrypted.",
            "Put the installation behind https and change PUBLIC_BASE_URL accordingly.",
        )
    return Reachability(True)


def _is_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host.partition("%")[0]).is_global
    except ValueError:
        return "." not in host or host.endswith(tuple(f".{ending}" for ending in _PRIVATE_ENDINGS))
