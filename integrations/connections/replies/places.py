"""Where Twilio sends what people write, as it stands there now: read, never guessed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from django.conf import settings

from integrations.connections.check.answers import Answer, Kind, ask
from integrations.connections.credentials import ConnectionUnusable, credentials_of
from integrations.connections.models import Connection
from integrations.connections.reachability import judge_address
from integrations.connections.webhooks import inbound_url
from integrations.twilio.client import Gateway, gateway_for
from integrations.twilio.results import MessagingServiceInfo, NumberInfo

SERVICE, NUMBER = "service", "number"
T = TypeVar("T")


class State(StrEnum):
    """What stands at a place, compared with our address."""

    RIGHT = "right"
    MISSING = "missing"
    OLD = "old"  # ours, but of an earlier public address or signature
    OTHER = "other"


@dataclass(frozen=True)
class Place:
    """A Messaging Service or a number, and the address that stands there.

    `application` is the TwiML App of a number, which goes before its address. `is_main`: messages of this connection
    are answered here; the other numbers of the account are offered beside it.
    """

    kind: str
    sid: str
    label: str
    url: str
    method: str
    application: str
    wanted: str
    hook_key: str
    is_main: bool = True

    @property
    def state(self) -> State:
        if self.application:
            return State.OTHER
        if self.url == self.wanted and self.method in ("", "POST"):
            return State.RIGHT
        if not self.url:
            return State.MISSING
        return State.OLD if is_ours(self.url, self.hook_key) else State.OTHER

    @property
    def whose(self) -> str:
        """Say in words whose the address there is, where it is not ours."""
        if self.application:
            return f"the TwiML App {self.application}"
        if "/hooks/twilio/" in self.url and self.url.startswith(settings.PUBLIC_BASE_URL):
            return "another connection of this Heliograph"
        return self.url


@dataclass(frozen=True)
class Look:
    """The places of a connection; `problem` says why there are none or not all."""

    places: tuple[Place, ...] = ()
    problem: str = ""

    @property
    def is_reachable(self) -> bool:
        return not self.problem


def is_ours(url: str, hook_key: str) -> bool:
    """Tell whether an address is this connection's own, of whatever installation address and signature."""
    return f"/hooks/twilio/{hook_key}/inbound" in url


def can_be_reached(connection: Connection) -> bool:
    """Tell whether whoever answers for Twilio could call our address at all."""
    is_near = connection.is_sandbox or bool(settings.TWILIO_BASE_URL)
    return is_near or judge_address(settings.PUBLIC_BASE_URL).is_accepted


def open_gateway(connection: Connection) -> Gateway:
    """Return the way to Twilio; raises ConnectionUnusable."""
    return gateway_for(credentials_of(connection))


def look(connection: Connection) -> Look:
    """Ask Twilio where incoming messages of this connection go; must not run inside a transaction.

    With a Messaging Service it is the service's address, or, where the service leaves it to its numbers, theirs. A
    number in no service has one of its own: https://www.twilio.com/docs/messaging/services#incoming-messages
    """
    try:
        gateway, wanted = open_gateway(connection), inbound_url(connection)
    except ConnectionUnusable as error:
        return Look(problem=error.detail)
    if connection.messaging_service_sid:
        return _look_at_service(connection, gateway, wanted)
    return _look_at_numbers(connection, gateway, wanted)


def _look_at_service(connection: Connection, gateway: Gateway, wanted: str) -> Look:
    sid = connection.messaging_service_sid
    answer = _ask(lambda: gateway.fetch_messaging_service(sid))
    if answer.kind != Kind.OK:
        return Look(problem=_problem(answer, "The Messaging Service"))
    service = answer.value
    if not service.use_inbound_webhook_on_number:
        return Look((_service_place(service, wanted, connection),))
    pool = _ask(lambda: gateway.list_senders(sid))
    numbers = _ask(gateway.list_numbers)
    if pool.kind != Kind.OK or numbers.kind != Kind.OK:
        return Look(problem=_problem(numbers if pool.kind == Kind.OK else pool, "The numbers of the Messaging Service"))
    values = {sender.value for sender in pool.value if sender.kind == "phone_number"}
    places = tuple(
        _number_place(number, wanted, connection, is_main=True)
        for number in numbers.value
        if number.phone_number in values
    )
    return Look(places, "" if places else "The service leaves replies to its numbers, and has none that can be read.")


def _look_at_numbers(connection: Connection, gateway: Gateway, wanted: str) -> Look:
    answer = _ask(gateway.list_numbers)
    if answer.kind != Kind.OK:
        return Look(problem=_problem(answer, "The numbers of the account"))
    places = tuple(_number_places(answer.value, connection, wanted))
    if not places:
        return Look(problem="The account has no number that could take replies.")
    return Look(tuple(sorted(places, key=lambda place: not place.is_main)))


def _number_places(numbers: list[NumberInfo], connection: Connection, wanted: str) -> Iterator[Place]:
    for number in numbers:
        if not number.capabilities or "sms" in number.capabilities:
            yield _number_place(number, wanted, connection, is_main=number.phone_number == connection.sender)


def _service_place(service: MessagingServiceInfo, wanted: str, connection: Connection) -> Place:
    return Place(
        kind=SERVICE,
        sid=service.sid,
        label=service.friendly_name or service.sid,
        url=service.inbound_request_url,
        method=service.inbound_method,
        application="",
        wanted=wanted,
        hook_key=connection.hook_key,
    )


def _number_place(number: NumberInfo, wanted: str, connection: Connection, *, is_main: bool) -> Place:
    return Place(
        kind=NUMBER,
        sid=number.sid,
        label=number.phone_number,
        url=number.sms_url,
        method=number.sms_method,
        application=number.sms_application_sid,
        wanted=wanted,
        hook_key=connection.hook_key,
        is_main=is_main,
    )


def _ask(call: Callable[[], T]) -> Answer[T]:
    return ask(call, is_lenient=bool(settings.TWILIO_BASE_URL))


def _problem(answer: Answer[Any], what: str) -> str:
    if answer.kind == Kind.WRONG_SECRET:
        return "Twilio does not accept the credentials. Repair the connection first."
    if answer.kind == Kind.ABSENT:
        return f"{what} cannot be found in this account. Check again what the connection names."
    if answer.kind == Kind.FORBIDDEN:
        return f"{what} cannot be read with these credentials. Enter the address in Twilio's Console."
    if answer.kind == Kind.NO_ANSWER:
        return "Twilio could not be reached. Nothing was changed; try again in a minute."
    return f"{what} cannot be read here. Enter the address by hand."
