"""The whole of the sandbox's state, and how accounts come into it."""

import asyncio
import random
from collections import Counter
from typing import Any

from aiohttp import web

from integrations.sandbox.credentials import (
    derive_auth_token,
    derive_credentials,
    is_sandbox_account_sid,
)

from . import dials as dial_rules
from .callbacks import Courier
from .dials import DEFAULTS, Dials
from .errors import ApiError
from .model import Account, Message, Number, Service, VerifyService
from .progress import Progress
from .recipients import region_of
from .timers import Timers
from .wire import new_sid

# Twilio delivers nothing to these countries.
_NEVER = {"CU", "IR", "SY"}


class World:
    """Everything that the server knows; lost with the process, but for what `credentials` derives anew."""

    def __init__(self, secret: str, *, max_messages: int = 200_000) -> None:
        self.secret = secret
        self.max_messages = max_messages
        self.timers = Timers()
        self.courier = Courier(self.timers)
        self.progress = Progress(self.timers, self.courier)
        self.accounts: dict[str, Account] = {}
        self.global_dials: dict[str, Any] = dict(DEFAULTS)
        self.stray_counts: Counter[str] = Counter()  # what belongs to no account, such as failed sign-ins
        self.principals: dict[str, Any] = {}  # Authorization header -> Principal
        self.tasks: set[asyncio.Task[None]] = set()  # inbound webhooks under way

    def now(self) -> float:
        """Return the sandbox's time in seconds since the epoch."""
        return self.timers.now()

    def account(self, account_sid: str) -> Account:
        """Return a sandbox account, created with its sender and services at first sight; others are 20404."""
        account = self.accounts.get(account_sid)
        if account is None:
            if not is_sandbox_account_sid(self.secret, account_sid):
                raise ApiError(20404, detail=f"/Accounts/{account_sid[:34]}")
            account = self._furnish(self.new_account(account_sid))
            self.accounts[account_sid] = account
        return account

    def new_account(self, account_sid: str) -> Account:
        """Make an empty account that nobody can find yet."""
        return Account(
            sid=account_sid,
            auth_token=derive_auth_token(self.secret, account_sid),
            created=self.now(),
            dials=Dials(self.global_dials),
            rng=random.Random(self.global_dials["seed"]),  # noqa: S311 - dice, not secrets
            disabled_regions=set(_NEVER),
        )

    def _furnish(self, account: Account) -> Account:
        """Give a new account one number, one Messaging Service which holds it, and one Verify Service."""
        credentials = derive_credentials(self.secret, account.sid)
        now = self.now()
        number = add_number(account, credentials.phone_number, now=now)
        service = Service(
            sid=credentials.messaging_service_sid, friendly_name="Sandbox service", created=now, updated=now
        )
        number.service_sid = service.sid
        service.numbers.append(number)
        account.services[service.sid] = service
        verify = VerifyService(sid=credentials.verify_service_sid, friendly_name="Sandbox", created=now, updated=now)
        account.verify_services[verify.sid] = verify
        return account

    # ---- dials

    def set_global_dials(self, settings: dict[str, Any]) -> None:
        """Put a complete document in force for every account, under what accounts have changed for themselves."""
        self.global_dials = settings
        for account in self.accounts.values():
            self._apply_dials(account)

    def set_account_dials(self, account: Account, changes: dict[str, Any]) -> None:
        """Replace what this account has different from the global dials; raises ControlError for an impossible sum."""
        dial_rules.validate(dial_rules.merge(self.global_dials, changes))
        account.dial_changes = changes
        self._apply_dials(account)

    def _apply_dials(self, account: Account) -> None:
        account.dials = Dials(dial_rules.merge(self.global_dials, account.dial_changes))
        account.rng = random.Random(account.dials.settings["seed"])  # noqa: S311 - dice, not secrets

    # ---- messages

    def store(self, message: Message, *, phone: str) -> None:
        """Keep a message, and drop the oldest finished ones where the account holds too many."""
        account = message.account
        account.messages[message.sid] = message
        account.order.append(message)
        account.by_phone.setdefault(phone, []).append(message)
        # In batches of a fiftieth, so that the walk over the oldest costs next to nothing a message.
        if len(account.order) > self.max_messages + self.max_messages // 50:
            self._drop_oldest(account)

    def _drop_oldest(self, account: Account) -> None:
        surplus = len(account.order) - self.max_messages
        kept: list[Message] = []
        for index, message in enumerate(account.order):
            if surplus == 0:
                kept.extend(account.order[index:])
                break
            if message.steps and message.step < len(message.steps):
                kept.append(message)  # still on its way
                continue
            surplus -= 1
            self._forget(message)
        account.order = kept
        account.counts["messages_dropped"] = account.message_count - len(kept)

    def remove(self, message: Message) -> None:
        """Delete one message."""
        message.account.order.remove(message)
        self._forget(message)

    def _forget(self, message: Message) -> None:
        account = message.account
        del account.messages[message.sid]
        message.steps = ()
        phone = phone_of(message)
        rest = account.by_phone[phone]
        rest.remove(message)
        if not rest:
            del account.by_phone[phone]

    def reset(self, account_sid: str | None = None) -> None:
        """Forget one account, or everything: accounts, dials, counters, what was due, the moved clock."""
        if account_sid is not None:
            account = self.accounts.pop(account_sid, None)
            if account is not None:
                for message in account.order:
                    message.steps = ()
                    message.callback = None
            self.principals.clear()
            return
        self.accounts.clear()
        self.principals.clear()
        self.stray_counts.clear()
        self.timers.clear()
        self.courier.clear()
        self.global_dials = dict(DEFAULTS)


WORLD: web.AppKey[World] = web.AppKey("world", World)


def phone_of(message: Message) -> str:
    """Return the number at the other end of a message."""
    return (message.from_ or "") if message.direction == "inbound" else message.to


def add_number(account: Account, value: str, *, now: float, kind: str = "phone_number") -> Number:
    """Give the account a number or a short code."""
    is_short = kind == "short_code"
    number = Number(
        sid=new_sid("SC" if is_short else "PN"),
        value=value,
        country_code="US" if is_short else region_of(value),
        created=now,
        kind=kind,
        friendly_name=value,
        capabilities=("SMS",) if is_short else ("MMS", "SMS", "Voice"),
    )
    account.numbers[value] = number
    return number
