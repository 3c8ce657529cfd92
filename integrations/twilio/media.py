"""Fetch what came with a message: pictures and files that Twilio keeps, and nothing else in the world.

A webhook names an address. Our credentials go with a request to that address only where it is Twilio's own API and a
medium of the right account; from there Twilio leads on to a store of files (https://www.twilio.com/docs/messaging/api/media-resource),
which is asked without credentials. Any other address is refused before anything is looked up, so that nobody can make
this installation call its own network.
"""

import re
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

import requests
from requests import RequestException
from urllib3.exceptions import HTTPError

from integrations.twilio.addresses import certificate_bundle, resolve_address, system_proxy
from integrations.twilio.outgoing import Credentials

_API = re.compile(
    r"/2010-04-01/Accounts/(?P<account>AC[0-9a-fA-F]{32})/Messages/(?:SM|MM)[0-9a-fA-F]{32}/Media/ME[0-9a-fA-F]{32}"
)
# Where Twilio's API leads to: its own names, and the store it rents.
_STORES = (".twilio.com", ".twiliocdn.com", ".amazonaws.com")
_REDIRECTS = 3
_CHUNK = 65_536
_CONNECT, _READ = 5.0, 20.0

NOT_TWILIOS, TOO_LARGE, GONE, REFUSED, NO_ANSWER = "not_twilios", "too_large", "gone", "refused", "no_answer"


class MediaUnavailable(Exception):
    """A medium that was not fetched. `reason` is one of the words above; `is_final`: later will be no better."""

    def __init__(self, reason: str, *, is_final: bool) -> None:
        super().__init__(reason)
        self.reason, self.is_final = reason, is_final


@dataclass(frozen=True)
class Medium:
    """A file as it came, with the type that the store gives it."""

    content: bytes
    content_type: str


def is_twilios(url: str, *, account_sid: str) -> bool:
    """Tell whether the address is a medium of this account at Twilio's API."""
    parts = urlsplit(url)
    found = _API.fullmatch(parts.path)
    is_plain = parts.scheme == "https" and parts.netloc == "api.twilio.com" and not parts.query and not parts.fragment
    return bool(is_plain and found and (not account_sid or found["account"] == account_sid))


def fetch_medium(url: str, *, credentials: Credentials, most: int) -> Medium:
    """Fetch a medium of at most `most` bytes; raises MediaUnavailable. The network outside of any transaction."""
    if not is_twilios(url, account_sid=credentials.account):
        raise MediaUnavailable(NOT_TWILIOS, is_final=True)
    address = resolve_address(url, base_url=credentials.base_url)
    auth: tuple[str, str] | None = (credentials.username, credentials.password)
    proxy = system_proxy(credentials.base_url)
    with requests.Session() as session:
        session.trust_env = False
        session.verify = certificate_bundle()
        session.proxies = {"http": proxy, "https": proxy} if proxy else {}
        try:
            for _ in range(_REDIRECTS + 1):
                answer = session.get(address, auth=auth, timeout=(_CONNECT, _READ), allow_redirects=False, stream=True)
                with answer:
                    if not answer.is_redirect:
                        return _read(answer, most=most)
                    address = _next(address, answer.headers["Location"], base_url=credentials.base_url)
                    auth = None
        except (RequestException, HTTPError) as error:
            raise MediaUnavailable(NO_ANSWER, is_final=False) from error
    raise MediaUnavailable(REFUSED, is_final=True)


def _next(present: str, location: str, *, base_url: str) -> str:
    address = urljoin(present, location)
    if base_url:
        return resolve_address(address, base_url=base_url)
    parts = urlsplit(address)
    host = (parts.hostname or "").lower()
    if parts.scheme != "https" or parts.username or parts.port not in (None, 443) or not host.endswith(_STORES):
        raise MediaUnavailable(NOT_TWILIOS, is_final=True)
    return address


def _read(answer: requests.Response, *, most: int) -> Medium:
    if answer.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        raise MediaUnavailable(GONE, is_final=True)
    if answer.status_code != HTTPStatus.OK:
        # The credentials may be mended, the store may come back.
        raise MediaUnavailable(REFUSED if answer.status_code < 500 else NO_ANSWER, is_final=False)
    announced = answer.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced) > most:
        raise MediaUnavailable(TOO_LARGE, is_final=True)
    content = bytearray()
    for chunk in answer.iter_content(_CHUNK):
        content += chunk
        if len(content) > most:
            raise MediaUnavailable(TOO_LARGE, is_final=True)
    content_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return Medium(content=bytes(content), content_type=content_type)
