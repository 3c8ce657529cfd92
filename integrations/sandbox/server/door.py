"""The door of every request to a Twilio host: who asks, what the dials do to it, errors in Twilio's shape."""

import asyncio
import base64
import binascii
import hmac
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from aiohttp import web

from integrations.sandbox.credentials import (
    account_sid_of_api_key,
    derive_auth_token,
    derive_credentials,
    is_test_account_sid,
)

from .errors import ApiError
from .model import Account
from .wire import json_response, read_form
from .world import WORLD, World

_HANG_AT_MOST = 300.0
_PRINCIPALS_AT_MOST = 10_000
_REFUSING_FAULTS = {"rate_429", "rate_5xx"}


@dataclass(frozen=True, slots=True)
class Principal:
    """Whose credentials came with a request: `token`, `key` or `test`."""

    account: Account
    kind: str
    generation: int = 0


@dataclass
class Call:
    """A request that was let in."""

    request: web.Request
    world: World
    account: Account
    kind: str
    body: bytes

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """Return the form's fields in the order they came."""
        return read_form(self.body)

    @cached_property
    def form(self) -> dict[str, str]:
        """Return the form; of repeated fields the last."""
        return dict(self.pairs)

    @property
    def query(self) -> Mapping[str, str]:
        """Return the query string."""
        return self.request.query

    @property
    def path(self) -> dict[str, str]:
        """Return the variables of the path."""
        return self.request.match_info

    def not_found(self) -> ApiError:
        """Return the error for a resource that is not there, or not this account's."""
        return ApiError(20404, detail="/" + self.request.path.split("/", 2)[2])


Answering = Callable[[Call], web.Response]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def door(
    answer: Answering,
    *,
    is_sending: bool = False,
    test_answer: Answering | None = None,
    suspended_may: bool = False,
    standard_key_may: bool = True,
) -> Handler:
    """Make an aiohttp handler of a function that answers one kind of call.

    `is_sending` lets the fault dials at it; `test_answer` serves test credentials, without it they are refused (20008).
    """

    async def enter(request: web.Request) -> web.StreamResponse:
        world = request.app[WORLD]
        body = await request.read() if request.body_exists else b""
        try:
            principal = identify(world, request)
            account = account_in_path(world, request, principal)
        except ApiError as error:
            world.stray_counts[f"refused_{error.code}"] += 1
            return json_response(error.as_json(), status=error.status)
        call = Call(request, world, account, principal.kind, body)
        dials = account.dials
        if is_sending:
            account.counts["posts"] += 1
        fault = ""
        if dials.fault_table and (is_sending or dials.settings["faults_on"] == "all"):
            fault = _draw_fault(account)
        if fault == "rate_reset_before":
            account.counts["fault_reset_before"] += 1
            return _break_connection(request)
        try:
            if fault in _REFUSING_FAULTS:
                account.counts[f"fault_{fault[5:]}"] += 1
                raise _simulated_refusal(fault, account)
            if is_sending and dials.settings["limit_per_second"] is not None:
                _hold_to_limit(world, account)
            if principal.kind == "test":
                if test_answer is None:
                    raise ApiError(20008)
                response = test_answer(call)
            else:
                if account.status != "active" and not suspended_may:
                    raise ApiError(10001)
                if principal.kind == "key" and not standard_key_may and not account.is_key_main:
                    raise ApiError(20003)
                response = answer(call)
        except ApiError as error:
            account.counts[f"refused_{error.code}"] += 1
            response = json_response(error.as_json(), status=error.status, headers=error.headers)
        # The wait comes after the work: a client that gives up meanwhile was served all the same.
        latency = dials.settings["latency_ms"]
        if latency or dials.settings["latency_jitter_ms"]:
            latency += account.rng.random() * dials.settings["latency_jitter_ms"]
            await asyncio.sleep(latency / 1000)
        if fault.startswith("rate_accept"):
            account.counts[f"fault_{fault[5:]}"] += 1
            return await _spoil_answer(request, fault)
        return response

    return enter


def identify(world: World, request: web.Request) -> Principal:
    """Find whose credentials the request carries; raises 20003."""
    header = request.headers.get("Authorization", "")
    principal: Principal | None = world.principals.get(header)
    if principal is None:
        principal = _read_credentials(world, header)
        if len(world.principals) >= _PRINCIPALS_AT_MOST:
            world.principals.clear()
        world.principals[header] = principal
    account = principal.account
    if principal.kind == "key":
        if account.is_key_revoked:
            raise ApiError(20003)
    elif principal.kind == "token" and (account.is_token_revoked or principal.generation < account.token_generation):
        raise ApiError(20003)
    return principal


def _read_credentials(world: World, header: str) -> Principal:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise ApiError(20003)
    try:
        username, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ApiError(20003) from error
    if username.startswith("SK"):
        account_sid = account_sid_of_api_key(world.secret, username)
        if account_sid is None:
            raise ApiError(20003)
        _compare(password, derive_credentials(world.secret, account_sid).api_key_secret)
        return Principal(world.account(account_sid), "key")
    if is_test_account_sid(world.secret, username):
        _compare(password, derive_auth_token(world.secret, username))
        return Principal(world.new_account(username), "test")
    try:
        account = world.account(username)
    except ApiError as error:
        raise ApiError(20003) from error
    _compare(password, account.auth_token)
    return Principal(account, "token", account.token_generation)


def _compare(given: str, expected: str) -> None:
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise ApiError(20003)


def account_in_path(world: World, request: web.Request, principal: Principal) -> Account:
    """Return the account that the path names, where these credentials may act for it; without one, their own."""
    account_sid = request.match_info.get("account_sid")
    own = principal.account
    if account_sid is None or account_sid == own.sid:
        return own
    other = world.accounts.get(account_sid)
    if other is not None and other.owner_account_sid == own.sid and principal.kind == "token":
        return other
    raise ApiError(20003)


# ---- what the dials do


def _draw_fault(account: Account) -> str:
    draw = account.rng.random()
    for limit, name in account.dials.fault_table:
        if draw < limit:
            return name
    return ""


def _simulated_refusal(fault: str, account: Account) -> ApiError:
    if fault == "rate_5xx":
        return ApiError(20500)
    return _too_many(account)


def _too_many(account: Account) -> ApiError:
    after = account.dials.settings["retry_after_s"]
    return ApiError(20429, headers={} if after is None else {"Retry-After": f"{after:g}"})


def _hold_to_limit(world: World, account: Account) -> None:
    """Allow as many sending requests a second as the dial says, with a second's worth in reserve."""
    rate = account.dials.settings["limit_per_second"]
    now = world.now()
    account.bucket = min(max(rate, 1.0), account.bucket + (now - account.bucket_at) * rate)
    account.bucket_at = now
    if account.bucket < 1:
        account.counts["fault_limit"] += 1
        raise _too_many(account)
    account.bucket -= 1


async def _spoil_answer(request: web.Request, fault: str) -> web.StreamResponse:
    if fault == "rate_accept_5xx":
        error = ApiError(20500)
        return json_response(error.as_json(), status=error.status)
    if fault == "rate_accept_hang":
        await asyncio.sleep(_HANG_AT_MOST)  # cut short when the client gives up
    return _break_connection(request)


def _break_connection(request: web.Request) -> web.StreamResponse:
    """Drop the connection so that the client sees a reset."""
    if request.transport is not None:
        connection = request.transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response(status=500)
