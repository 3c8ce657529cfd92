"""Where a request really goes: Twilio, or a look-alike behind one base address; and by which proxy and certificates."""

import os
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import certifi

from integrations.twilio.errors import TwilioMisconfigured

_TWILIO = ".twilio.com"


def resolve_address(url: str, *, base_url: str) -> str:
    """Return the address to call for one that the SDK built or that stood in an answer as the next page.

    With a base address `https://HOST/PATH` becomes `{base_url}/HOST/PATH`; what lies behind it already stays. Without
    one only https hosts of Twilio are called: a next-page address must not carry our credentials elsewhere.
    Raises TwilioMisconfigured.
    """
    parts = urlsplit(url)
    if base_url:
        base_url = base_url.rstrip("/")
        if url.startswith(base_url + "/"):
            return url
        return base_url + "/" + url.partition("://")[2]
    if parts.scheme != "https" or not (parts.hostname or "").endswith(_TWILIO) or parts.username is not None:
        raise TwilioMisconfigured("An address outside Twilio was named as the next one to call; it was not called.")
    return url


def system_proxy(base_url: str) -> str | None:
    """Return the proxy that the environment prescribes for this base address ("" is Twilio itself), if any."""
    parts = urlsplit(base_url or "https://api.twilio.com")
    if proxy_bypass(parts.hostname or ""):
        return None
    return getproxies().get(parts.scheme)


def certificate_bundle() -> str:
    """Return the file of trusted certificates: the environment's where it names one, as companies do, or certifi's."""
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or certifi.where()
