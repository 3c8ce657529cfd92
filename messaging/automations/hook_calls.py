"""One call of a webhook: proved, read, and made into a run, once for each Idempotency-Key or body."""

import hashlib
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

from django.db import connection, transaction
from django.http import HttpRequest

from integrations.clock import database_now
from integrations.organizations.models import Organization
from integrations.organizations.network import client_ip
from messaging.api import rates
from messaging.api.bodies import read_object, receive_body
from messaging.api.problems import ApiProblem, FieldError

from . import hook_proof
from .base import Settings
from .fields import look_up, plain_keys
from .flow import Flow, FlowProblem, read
from .hooks import find_hook, keep_sample, live_secrets, note_refusal
from .models import Automation, Run
from .registry import trigger_of
from .starting import start_runs
from .trigger_models import AutomationHook
from .triggers.webhook import WebhookTrigger, required_paths

LARGEST = 262_144
PER_SECOND = 50
HOLDS_FOR = timedelta(hours=24)
_KEY = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,254}")
_MOST_FIELDS = 500

# Of the same call many times at once one goes on; the others wait until its run is committed. A call whose time is
# over is taken as if it were new.
_TAKE = """
INSERT INTO messaging_hookcall AS h (hook_id, digest, at) VALUES (%s, %s, now())
ON CONFLICT (hook_id, digest) DO UPDATE SET at = EXCLUDED.at, run_id = NULL
    WHERE h.at <= now() - %s * interval '1 second'
RETURNING id
"""


@dataclass(frozen=True)
class Answer:
    """What a call led to: `started`, `received` (nothing to begin), `skipped`, `captured` as a sample, `repeated`."""

    status: str
    runs: Sequence[uuid.UUID] = ()
    detail: str = ""

    @property
    def http_status(self) -> int:
        return 200 if self.status == "repeated" else 202

    def as_json(self) -> dict[str, Any]:
        """Return the answer's body."""
        made: dict[str, Any] = {"status": self.status, "runs": [str(run) for run in self.runs]}
        return {**made, "detail": self.detail} if self.detail else made


def take_call(request: HttpRequest, key: str) -> Answer:
    """Take a call; raise ApiProblem for one that is refused, which is kept for whoever builds the automation."""
    hook = find_hook(key)
    if hook is None:
        raise ApiProblem("not_found", "There is no such webhook address. Copy it from the automation’s trigger.")
    try:
        if seconds := rates.take(hook.pk, rate=PER_SECOND):
            detail = f"This webhook takes {PER_SECOND} calls in a second. Wait {seconds} s."
            raise ApiProblem("rate_limited", detail, headers={"Retry-After": str(seconds)})
        return _take(request, hook)
    except ApiProblem as problem:
        note_refusal(hook, problem, ip=client_ip(request))
        raise


def _take(request: HttpRequest, hook: AutomationHook) -> Answer:
    automation = hook.automation
    flow = _flow_of(automation)
    trigger = trigger_of(flow.trigger)
    settings = flow.trigger_settings
    try:
        body = receive_body(request, limit=LARGEST)
    except ApiProblem as problem:
        if problem.code == "body_too_large":
            raise ApiProblem("body_too_large", "A webhook has at most 256 KB (262,144 bytes).") from problem
        raise
    auth = str(settings.get("auth") or hook_proof.SECRET)
    signed_at = hook_proof.check(request, body, auth=auth, secrets=live_secrets(hook))
    if hook.organization.status != Organization.Status.ACTIVE:
        raise ApiProblem("organization_suspended")
    if automation.status in {Automation.Status.PAUSED, Automation.Status.ARCHIVED}:
        raise ApiProblem("automation_not_live", f"The automation is {automation.get_status_display().lower()}.")
    if not isinstance(trigger, WebhookTrigger):
        raise ApiProblem("automation_not_live", "Something else than a webhook sets this automation off now.")
    values = _read(request, body)
    if automation.status == Automation.Status.DRAFT:
        with transaction.atomic():
            keep_sample(hook, values, at_once=True)
        return Answer("captured", detail="The automation is a draft: the payload was kept as a sample, nothing began.")
    _check_required(settings, values)
    trigger.check_payload(settings, values)
    digests = [*_digests_of_signature(body, signed_at), *_digests(request, body, settings, trigger)]
    return _begin(hook, trigger, settings, values, digests=digests)


def _begin(
    hook: AutomationHook,
    trigger: WebhookTrigger,
    settings: Settings,
    values: Mapping[str, Any],
    *,
    digests: Sequence[tuple[str, int]],
) -> Answer:
    with transaction.atomic():
        keep_sample(hook, values)
        calls: list[int] = []
        for name, seconds in digests:
            call = _hold(hook, name, seconds)
            if call is None:
                return Answer("repeated", runs=_runs_of(hook, name))
            calls.append(call)
        # The automation's lock before any other: two calls must not wait for each other in a circle.
        automation = Automation.objects.select_for_update(of=("self",), no_key=True).select_related("organization").get(
            pk=hook.automation_id
        )  # fmt: skip
        starts = trigger.take(automation, settings, values, now=database_now())
        runs = start_runs(automation, starts)
        if starts and not runs:
            # Nothing of the call is kept: sent again once the automation is resumed, it counts.
            raise ApiProblem("automation_not_live", "The automation was paused at this moment.")
        if calls and runs:
            with connection.cursor() as cursor:
                cursor.execute("UPDATE messaging_hookcall SET run_id = %s WHERE id = ANY(%s)", [runs[0].pk, calls])
    if not runs:
        return Answer("received")
    skipped = [run for run in runs if run.status == Run.Status.SKIPPED]
    if skipped:
        return Answer("skipped", runs=[run.pk for run in runs], detail=skipped[0].detail)
    return Answer("started", runs=[run.pk for run in runs])


def _flow_of(automation: Automation) -> Flow:
    is_draft = automation.status == Automation.Status.DRAFT or automation.live is None
    try:
        return read(automation.draft) if is_draft or automation.live is None else read(automation.live.flow)
    except FlowProblem as problem:
        raise ApiProblem("automation_not_live", "The automation cannot be read. Publish it anew.") from problem


def _read(request: HttpRequest, body: bytes) -> dict[str, Any]:
    """Return the payload with keys that variables can name; raise ApiProblem for what is neither JSON nor a form."""
    if request.content_type == "application/x-www-form-urlencoded":
        return _plain(_read_form(body))
    if (request.content_type or "").startswith("multipart/"):
        raise ApiProblem("unsupported_media_type", "Send JSON, or a form as application/x-www-form-urlencoded.")
    return _plain(read_object(body))


def _read_form(body: bytes) -> dict[str, Any]:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError as error:
        raise ApiProblem("bad_request", f"The form cannot be read: UTF-8, at most {_MOST_FIELDS} fields.") from error
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value.replace("\x00", ""))
    if not found:
        raise ApiProblem("bad_request", "The form has no fields.")
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _plain(payload: Mapping[str, Any]) -> dict[str, Any]:
    return dict(plain_keys(payload))


def _check_required(settings: Settings, values: Mapping[str, Any]) -> None:
    missing = [path for path in required_paths(settings) if look_up(values, path) in (None, "")]
    if missing:
        raise ApiProblem(
            "validation_failed",
            f"{', '.join(missing)}: needed, and missing or empty.",
            errors=[FieldError(path, "required", "This field is needed.") for path in missing],
        )


def _digests_of_signature(body: bytes, signed_at: str) -> list[tuple[str, int]]:
    """Return by what a signed call is known again that somebody overheard: its Idempotency-Key is not signed."""
    if not signed_at:
        return []
    signed = hashlib.sha256(f"{signed_at}.".encode() + body).hexdigest()
    return [(f"s:{signed}", 2 * hook_proof.TOLERANCE)]


def _digests(request: HttpRequest, body: bytes, settings: Settings, trigger: WebhookTrigger) -> list[tuple[str, int]]:
    """Return by what the same call is known again, and for how many seconds; nothing where it is not to be."""
    key = request.headers.get("Idempotency-Key")
    if key is not None:
        if not _KEY.fullmatch(key):
            detail = "Write 1 to 255 letters, digits and signs of ASCII."
            raise ApiProblem("validation_failed", detail, errors=[FieldError("Idempotency-Key", "bad_format", detail)])
        return [(f"k:{hashlib.sha256(key.encode()).hexdigest()}", int(HOLDS_FOR.total_seconds()))]
    window = int(settings.get("replay_seconds", trigger.replay_seconds) or 0)
    return [(f"b:{hashlib.sha256(body).hexdigest()}", window)] if window else []


def _hold(hook: AutomationHook, digest: str, seconds: int) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [hook.pk, digest, seconds])
        row = cursor.fetchone()
    return row[0] if row else None


def _runs_of(hook: AutomationHook, digest: str) -> list[uuid.UUID]:
    return [run for run in hook.calls.filter(digest=digest).values_list("run_id", flat=True) if run is not None]
