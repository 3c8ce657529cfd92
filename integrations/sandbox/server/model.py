"""What the sandbox remembers: accounts, senders and services, messages, verifications. Data only, no behaviour."""

import random
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from .dials import Dials

FINAL_STATUSES = frozenset({"delivered", "undelivered", "failed", "canceled", "received", "read"})


@dataclass(slots=True)
class Number:
    """A phone number or short code of an account."""

    sid: str
    value: str
    country_code: str
    created: float
    kind: str = "phone_number"  # or "short_code"
    friendly_name: str = ""
    sms_url: str = ""
    sms_fallback_url: str = ""
    sms_method: str = "POST"
    sms_application_sid: str = ""
    capabilities: tuple[str, ...] = ("MMS", "SMS", "Voice")
    service_sid: str = ""


@dataclass(slots=True)
class AlphaSender:
    """An alphanumeric sender ID in the pool of a Messaging Service."""

    sid: str
    value: str
    created: float


@dataclass(slots=True)
class Service:
    """A Messaging Service."""

    sid: str
    friendly_name: str
    created: float
    updated: float
    inbound_request_url: str | None = None
    inbound_method: str = "POST"
    fallback_url: str | None = None
    fallback_method: str = "POST"
    status_callback: str | None = None
    sticky_sender: bool = True
    mms_converter: bool = True
    smart_encoding: bool = False
    scan_message_content: str = "inherit"
    fallback_to_long_code: bool = False
    area_code_geomatch: bool = True
    synchronous_validation: bool = False
    validity_period: int = 36000
    usecase: str = "undeclared"
    use_inbound_webhook_on_number: bool = False
    advanced_opt_out: bool = False
    numbers: list[Number] = field(default_factory=list)
    alpha_senders: list[AlphaSender] = field(default_factory=list)


@dataclass(slots=True)
class VerifyService:
    """A Verify Service."""

    sid: str
    friendly_name: str
    created: float
    updated: float
    code_length: int = 6
    lookup_enabled: bool = False
    skip_sms_to_landlines: bool = False
    dtmf_input_required: bool = True
    psd2_enabled: bool = False
    do_not_share_warning_enabled: bool = False
    custom_code_enabled: bool = False
    tts_name: str | None = None


@dataclass(slots=True)
class Verification:
    """One attempt to prove a number through Verify; its code is kept in clear because the virtual phone shows it."""

    sid: str
    service: VerifyService
    to: str
    channel: str
    code: str
    created: float
    updated: float
    expires: float
    status: str = "pending"
    checks: int = 0
    sends: list[dict[str, str]] = field(default_factory=list)
    last_start: float = 0.0


@dataclass(slots=True)
class CallbackTarget:
    """A webhook address, cut into what is requested and signed, and Twilio's connection overrides from the fragment."""

    url: str
    origin: str
    retry_count: int = 1
    retry_policy: frozenset[str] = frozenset({"ct"})
    connect_timeout: float = 5.0
    read_timeout: float = 15.0
    total_timeout: float = 15.0


@dataclass(slots=True, eq=False)
class Message:
    """A message that the API knows, outbound or inbound."""

    sid: str
    account: "Account"
    number: int  # counts up within the account; lists and page tokens go by it
    to: str
    body: str
    direction: str
    status: str
    created: float
    updated: float
    from_: str | None = None
    sender: str = ""  # chosen already, shown as `from_` once it is queued
    service_sid: str | None = None
    segments: int = 1
    media: tuple[str, ...] = ()
    calling_code: int = 0
    sent: float | None = None
    price: str | None = None
    error_code: int | None = None
    callback: CallbackTarget | None = None
    is_silent: bool = False
    steps: tuple[tuple[float, str], ...] = ()  # (seconds after the step before, status)
    step: int = 0
    final_error: int | None = None
    is_calling_back: bool = False
    waiting: list[dict[str, str]] | None = None  # callbacks that wait for the one before to be answered
    held: list[dict[str, str]] | None = None  # callbacks held back to be sent in reversed order


@dataclass(slots=True)
class Medium:
    """A file of a message; `token` names it in the store to which Twilio leads."""

    sid: str
    message_sid: str
    content_type: str
    content: bytes
    created: float
    token: str


@dataclass(slots=True)
class Text:
    """Something that only the virtual phone shows: a verification code, an automatic answer to STOP."""

    from_: str
    body: str
    at: float


@dataclass(eq=False)
class Account:
    """A Twilio account."""

    sid: str
    auth_token: str
    created: float
    dials: Dials
    rng: random.Random
    friendly_name: str = "Sandbox account"
    status: str = "active"
    type: str = "Full"
    owner_account_sid: str = ""
    balance: str = "100.00"
    currency: str = "USD"
    token_generation: int = 0
    is_key_main: bool = False
    is_key_revoked: bool = False
    is_token_revoked: bool = False
    is_china_vetted: bool = False
    verified_numbers: set[str] = field(default_factory=set)
    disabled_regions: set[str] = field(default_factory=set)
    dial_changes: dict[str, Any] = field(default_factory=dict)
    numbers: dict[str, Number] = field(default_factory=dict)  # by value
    services: dict[str, Service] = field(default_factory=dict)  # by SID
    verify_services: dict[str, VerifyService] = field(default_factory=dict)
    verifications: dict[str, Verification] = field(default_factory=dict)
    pending_verifications: dict[tuple[str, str], Verification] = field(default_factory=dict)  # by service SID and To
    messages: dict[str, Message] = field(default_factory=dict)  # by SID, oldest first
    order: list[Message] = field(default_factory=list)  # the same, by number
    by_phone: dict[str, list[Message]] = field(default_factory=dict)  # by the number at the other end
    texts: dict[str, deque[Text]] = field(default_factory=dict)
    media: dict[str, Medium] = field(default_factory=dict)  # by SID, oldest first
    blocked: set[tuple[str, str]] = field(default_factory=set)  # (sender or service SID, phone)
    message_count: int = 0
    bucket: float = 0.0  # allowance left under `limit_per_second`
    bucket_at: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    webhook_failures: deque[dict[str, object]] = field(default_factory=lambda: deque(maxlen=50))
